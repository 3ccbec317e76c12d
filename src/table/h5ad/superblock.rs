//! The first bytes of an HDF5 file: from their first version to the second, in place.
//!
//! A file of the first version can be changed only with all of it in memory, one of the second in
//! parts. Both say the same: sizes, where the file ends, where its root is (HDF5 File Format
//! Specification 3.0, II.A). The second is shorter, so that nothing else moves.
//!
//! Enters: a file. Leaves: the same file, where that can be done. Must not know what it holds.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
const UNDEFINED: u64 = u64::MAX;
/// Sizes of B-trees that the second version takes for granted: of leaves, and of inner nodes.
const USUAL_SIZES: [u8; 4] = [4, 0, 16, 0];

/// Makes the superblock one of the second version. One that says what this has no place for stays as
/// it is, and so does one that is no superblock.
///
/// # Errors
/// What the file system says.
pub(super) fn modernise(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut before = [0; 96];
    match file.read_exact(&mut before) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
        Err(error) => return Err(error),
    }
    let Some(after) = modern(&before) else {
        return Ok(());
    };
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&after)
}

/// A superblock of the second version for one of the first.
fn modern(before: &[u8; 96]) -> Option<Vec<u8>> {
    let address = |at: usize| {
        let bytes = before.get(at..at + 8)?.try_into().ok()?;
        Some(u64::from_le_bytes(bytes))
    };
    let (version, widths) = (before[8], &before[13..15]);
    let is_plain = before.starts_with(&SIGNATURE)
        && version == 0
        && widths == [8, 8]
        && before[16..20] == USUAL_SIZES
        && before[20..24] == [0; 4];
    let (base, free, driver) = (address(24)?, address(32)?, address(48)?);
    if !is_plain || base != 0 || free != UNDEFINED || driver != UNDEFINED {
        return None;
    }
    let (end, root) = (address(40)?, address(64)?);
    let mut after = SIGNATURE.to_vec();
    after.extend([2, 8, 8, 0]);
    for address in [base, UNDEFINED, end, root] {
        after.extend(address.to_le_bytes());
    }
    let sum = checksum(&after);
    after.extend(sum.to_le_bytes());
    Some(after)
}

/// The checksum of HDF5: B. Jenkins, lookup3.c, hashlittle, May 2006, from 0 on.
fn checksum(bytes: &[u8]) -> u32 {
    let begin = 0xdead_beef_u32.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let (mut a, mut b, mut c) = (begin, begin, begin);
    // The last run of up to twelve bytes is mixed in another way.
    let last = bytes.len().saturating_sub(1) / 12 * 12;
    let (runs, rest) = bytes.split_at(last);
    let word = |run: &[u8], at: usize| {
        let byte = |at: usize| u32::from(run.get(at).copied().unwrap_or(0));
        byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24
    };
    for run in runs.chunks_exact(12) {
        a = a.wrapping_add(word(run, 0));
        b = b.wrapping_add(word(run, 4));
        c = c.wrapping_add(word(run, 8));
        for rotation in [4, 6, 8, 16, 19, 4] {
            // Each step mixes the third into the first; then they change places.
            a = a.wrapping_sub(c) ^ c.rotate_left(rotation);
            c = c.wrapping_add(b);
            (a, b, c) = (b, c, a);
        }
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    c = c.wrapping_add(word(rest, 8));
    for (at, rotation) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let (x, y) = match at % 3 {
            0 => (&mut c, b),
            1 => (&mut a, c),
            _ => (&mut b, a),
        };
        *x = (*x ^ y).wrapping_sub(y.rotate_left(rotation));
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of driver5 in lookup3.c.
    #[test]
    fn the_checksum_is_that_of_the_publication() {
        assert_eq!(checksum(b""), 0xdead_beef);
        assert_eq!(checksum(b"Four score and seven years ago"), 0x1777_0551);
    }

    #[test]
    fn what_is_no_plain_superblock_stays() {
        let mut bytes = [0; 96];
        assert_eq!(modern(&bytes), None);
        bytes[..8].copy_from_slice(&SIGNATURE);
        assert_eq!(modern(&bytes), None);
        bytes[13..15].fill(8);
        bytes[16..20].copy_from_slice(&USUAL_SIZES);
        bytes[32..40].fill(0xff);
        assert_eq!(modern(&bytes), None);
        bytes[48..56].fill(0xff);
        assert_eq!(modern(&bytes).map(|after| after.len()), Some(48));
    }
}
