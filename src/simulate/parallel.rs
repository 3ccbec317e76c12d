//! Work on all cores whose results come in order.
//!
//! Enters: how many pieces of work there are and what each is. Leaves: their results, handed over
//! one after the other on the calling thread, so that whatever is summed up from them does not
//! depend on the number of threads. Must not know what the work is.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `work` for 0, 1, ... `count` - 1 on `threads` threads and hands each result to `take`, in
/// this order and on this thread, until `take` breaks. Pieces begun by then are finished and
/// dropped.
///
/// At most a few results for each thread wait at a time, unless one piece of work takes much
/// longer than those after it.
pub fn in_order<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> ControlFlow<()>,
) {
    if threads <= 1 || count <= 1 {
        for at in 0..count {
            if take(at, work(at)).is_break() {
                return;
            }
        }
        return;
    }
    let next = AtomicUsize::new(0);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<(usize, T)>(2 * threads);
        let workers: Vec<_> = (0..threads.min(count))
            .map(|_| {
                let sender = sender.clone();
                let (next, ended, work) = (&next, &ended, &work);
                scope.spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        // Nobody listens any more once `take` has broken.
                        if at >= count || sender.send((at, work(at))).is_err() {
                            return;
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        'all: for (at, result) in &receiver {
            waiting.insert(at, result);
            while let Some(result) = waiting.remove(&due) {
                if take(due, result).is_break() {
                    break 'all;
                }
                due += 1;
            }
        }
        ended.store(true, Ordering::Relaxed);
        drop(receiver);
        for worker in workers {
            if let Err(panic) = worker.join() {
                resume_unwind(panic);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let mut seen = Vec::new();
            in_order(
                100,
                threads,
                |at| at * at,
                |at, square| {
                    seen.push((at, square));
                    ControlFlow::Continue(())
                },
            );
            let expected: Vec<_> = (0..100).map(|at| (at, at * at)).collect();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn who_takes_may_stop() {
        for threads in [1, 3] {
            let mut taken = 0;
            in_order(
                1_000_000,
                threads,
                |at| at,
                |at, _| {
                    taken += 1;
                    if at == 9 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                },
            );
            assert_eq!(taken, 10);
        }
    }
}
