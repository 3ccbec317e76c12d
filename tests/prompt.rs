//! The prompt as a user has it: keys go into a pseudo-terminal, the screen's text comes back.

#![cfg(unix)]

mod support;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use support::Workplace;

/// Far more than any answer takes, on a loaded machine too.
const PATIENCE: Duration = Duration::from_secs(30);

const MODEL: &str = "param k = 0.5 in 0..10\nparam knot = 2\nstate x = 1\nx' = -k*x*knot/2\ncondition halved { k = 0.25 }\n";

/// A conversation with `lotka repl`.
struct Talk {
    keys: Box<dyn Write + Send>,
    screen: Receiver<Vec<u8>>,
    child: Box<dyn Child + Send + Sync>,
    /// Keeps the terminal open, and changes its size.
    terminal: Box<dyn MasterPty + Send>,
    /// All that was shown and not asked for yet, without escape codes.
    shown: String,
}

impl Talk {
    /// Opens the prompt; nothing where there are no pseudo-terminals.
    fn open(place: &Workplace, columns: u16, arguments: &[&str], colour: bool) -> Option<Talk> {
        let size = PtySize {
            rows: 40,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let Ok(pair) = native_pty_system().openpty(size) else {
            eprintln!("no pseudo-terminals here: not tried");
            return None;
        };
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_lotka"));
        command.arg("repl");
        command.args(arguments);
        command.cwd(place.path());
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("XDG_DATA_HOME", place.path().join("data"));
        if !colour {
            command.env("NO_COLOR", "1");
        }
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || send.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut talk = Talk {
            keys,
            screen,
            child,
            terminal: pair.master,
            shown: String::new(),
        };
        talk.until("> ");
        Some(talk)
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("keys arrive");
        self.keys.flush().expect("keys arrive");
    }

    /// Waits until this is shown; gives what was shown up to and with it.
    fn until(&mut self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let plain = without_escapes(&self.shown);
            if let Some(at) = plain.find(text) {
                let end = at + text.len();
                self.shown = plain[end..].to_owned();
                return plain[..end].to_owned();
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("`{text}` never came; there was:\n{plain}"),
            }
        }
    }

    /// Types a line and waits for what it answers.
    fn say(&mut self, line: &str, answer: &str) -> String {
        self.press(&format!("{line}\r"));
        let shown = self.until(answer);
        self.until("\n> ");
        shown
    }

    /// Waits for the end of the program.
    fn ended(mut self) -> u32 {
        let begun = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Text without the codes that move the cursor and choose colours; carriage returns go too.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' if rest.peek() == Some(&'[') => {
                rest.next();
                for code in rest.by_ref() {
                    if ('@'..='~').contains(&code) {
                        break;
                    }
                }
            }
            '\r' => {}
            _ => out.push(c),
        }
    }
    out
}

fn place() -> Workplace {
    let place = Workplace::new();
    place.write("m.lotka", MODEL);
    place
}

fn open(place: &Workplace) -> Option<Talk> {
    Talk::open(place, 80, &["m.lotka"], false)
}

#[test]
fn tab_completes_in_place() {
    let place = place();
    let Some(mut talk) = open(&place) else { return };
    talk.press("sim\t0..2 us\texp\t in \t\r");
    talk.until("simulated t = 0 to 2");
    talk.until("\n> ");
    // Two names begin so: what they share is put in, and both are shown.
    talk.press("k\t");
    talk.until("knot");
    talk.press("n\t + 1\r");
    talk.until("knot + 1 = 3");
    talk.press("load \"m.l\t\r");
    talk.until("loaded m.lotka: 1 state, 2 parameters");
}

#[test]
fn undo_errors_and_lines_that_go_on() {
    let place = place();
    let Some(mut talk) = open(&place) else { return };
    talk.say("k = 2", "k = 2 (was 0.5)");
    talk.say("k = 20", "E0401");
    talk.say("undo", "undone: k = 0.5 again (was 2)");
    talk.say("k = kk", "line 4:1:5");
    talk.press("max(k,\r");
    talk.until("\n. ");
    talk.press("3)\r");
    talk.until(" = 3");
    talk.until("\n> ");
    // Ctrl-C forgets what has been typed, also of a line that goes on.
    talk.press("max(k,\r");
    talk.until("\n. ");
    talk.press("4\u{3}");
    talk.until("\n> ");
    talk.say("let twice = 2*x", "twice = 2");
    talk.say("undo", "undone: let twice = 2*x");
    talk.say("k", "k = 0.5");
}

#[test]
fn ctrl_c_stops_a_computation_and_keeps_the_session() {
    let place = place();
    place.write("swing.lotka", "state x = 1, v = 0\nx' = v\nv' = -x^3\n");
    let Some(mut talk) = Talk::open(&place, 80, &["swing.lotka"], false) else {
        return;
    };
    talk.press("simulate 0..1e9 points 11\r");
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    talk.press("\u{3}");
    talk.until("E0605");
    talk.until("\n> ");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it stops at once"
    );
    talk.say("x = 2", "x = 2");
    talk.say("simulate 0..1", "simulated t = 0 to 1");
    talk.press("\u{4}");
    assert_eq!(talk.ended(), 0);
}

#[test]
fn ctrl_c_stops_a_long_continuation_and_keeps_the_branch() {
    let place = place();
    // Some 19000 folds.
    let model = "param p = 0 in -10..3000\nstate x = 0\nx' = p - x - 3*sin(20*x)\n";
    place.write("folds.lotka", model);
    let Some(mut talk) = Talk::open(&place, 80, &["folds.lotka"], false) else {
        return;
    };
    talk.press("continue p points 1000000\r");
    std::thread::sleep(Duration::from_millis(500));
    talk.press("\u{3}");
    let kept = talk.until("E0605");
    assert!(kept.contains("LP1"), "{kept}");
    assert!(kept.contains("stopped by the user"), "{kept}");
    talk.until("\n> ");
    talk.say("p = 2", "p = 2 (was 0)");
    talk.press("\u{4}");
    assert_eq!(talk.ended(), 0);
}

#[test]
fn lines_are_kept_for_the_next_session() {
    let place = place();
    let Some(mut talk) = open(&place) else { return };
    talk.say("k + 41.5", "= 42");
    talk.press("quit\r");
    assert_eq!(talk.ended(), 0);
    let Some(mut talk) = open(&place) else { return };
    // Up twice: past `quit`.
    talk.press("\u{1b}[A\u{1b}[A\r");
    talk.until("k + 41.5 = 42");
    talk.until("\n> ");
    // The rest of the last line that began so stands in grey; the right arrow takes it.
    talk.press("k +");
    talk.until(" 41.5");
    talk.press("\u{1b}[C\r");
    talk.until("k + 41.5 = 42");
}

#[test]
fn figures_follow_the_width_of_the_window() {
    let place = place();
    let Some(mut talk) = Talk::open(&place, 60, &["m.lotka"], false) else {
        return;
    };
    talk.say("simulate 0..5", "simulated");
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    let figure = talk.say("plot x", "0");
    let figure = figure + &talk.shown;
    assert!(widest(&figure) <= Some(60), "{figure}");
    let size = PtySize {
        rows: 40,
        cols: 100,
        pixel_width: 0,
        pixel_height: 0,
    };
    talk.terminal.resize(size).expect("another size");
    talk.press("plot x\r");
    let figure = talk.until("\n> ");
    assert!(widest(&figure) > Some(80), "{figure}");
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let place = place();
    for (colour, wanted) in [(true, true), (false, false)] {
        let Some(mut talk) = Talk::open(&place, 80, &["m.lotka"], colour) else {
            return;
        };
        talk.press("simulate 0..1");
        std::thread::sleep(Duration::from_millis(300));
        let mut raw = std::mem::take(&mut talk.shown);
        while let Ok(bytes) = talk.screen.try_recv() {
            raw.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert_eq!(raw.contains("\u{1b}[1msimulate"), wanted, "{raw:?}");
    }
    assert!(Path::new(env!("CARGO_BIN_EXE_lotka")).exists());
}
