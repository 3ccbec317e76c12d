//! A scripted editor: starts `lotka lsp`, speaks the protocol over pipes, keeps what it is told.
//!
//! Enters: texts, positions, requests. Leaves: the server's answers as JSON.

use crate::support::root;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// No answer takes longer, even in a debug build on a busy machine: beyond this the server hangs.
const DEADLINE: Duration = Duration::from_secs(120);

pub struct Client {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    asked: i64,
    versions: HashMap<String, i64>,
    /// Every note about problems, in order.
    pub published: Vec<Value>,
    /// What the server said of itself.
    pub greeting: Value,
}

impl Client {
    pub fn start() -> Client {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lotka"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take().expect("its input");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = heard(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut client = Client {
            child,
            input,
            messages,
            asked: 0,
            versions: HashMap::new(),
            published: Vec::new(),
            greeting: Value::Null,
        };
        let answer = client.ask("initialize", json!({"capabilities": {}}));
        client.greeting = answer.expect("a greeting");
        client.tell("initialized", json!({}));
        client
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("it listens");
        self.input.flush().expect("it listens");
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// The result of a request, or its error.
    pub fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.next();
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.published.push(message["params"].clone());
        }
    }

    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(DEADLINE);
        message.expect("the server answers")
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        self.versions.insert(uri.to_owned(), 1);
        // What was told of an earlier text under this name is past.
        self.published
            .retain(|told| told["uri"] != uri || told["version"].is_null());
        let item = json!({"uri": uri, "languageId": "lotka", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": item}));
    }

    /// Opens a file that comes with the project under its own name.
    pub fn open_model(&mut self, name: &str) -> (String, String) {
        let path = root().join("models").join(name);
        let text = std::fs::read_to_string(&path).expect("a model");
        let uri = uri(&path);
        self.open(&uri, &text);
        (uri, text)
    }

    /// Tells of changes: ranges with their new texts, or a whole new text.
    pub fn change(&mut self, uri: &str, changes: Value) {
        let version = self.versions.get_mut(uri).expect("an open text");
        *version += 1;
        let named = json!({"uri": uri, "version": *version});
        let params = json!({"textDocument": named, "contentChanges": changes});
        self.tell("textDocument/didChange", params);
    }

    pub fn replace(&mut self, uri: &str, text: &str) {
        self.change(uri, json!([{"text": text}]));
    }

    /// The problems of the newest text, as soon as they are told.
    pub fn problems(&mut self, uri: &str) -> Vec<Value> {
        let version = self.versions[uri];
        loop {
            let told = self.published.iter().rev();
            let newest = told
                .filter(|told| told["uri"] == uri)
                .find(|told| told["version"] == version);
            if let Some(newest) = newest {
                return newest["diagnostics"].as_array().expect("a list").clone();
            }
            let message = self.next();
            self.published.push(message["params"].clone());
        }
    }

    /// Forgets what has been published, so that only what comes next counts.
    pub fn forget(&mut self) {
        self.published.clear();
    }

    /// A request about a place.
    pub fn at(&mut self, method: &str, uri: &str, position: Value) -> Result<Value, Value> {
        let params = json!({"textDocument": {"uri": uri}, "position": position});
        self.ask(&format!("textDocument/{method}"), params)
    }

    /// The text that hovering over a place shows; empty for nothing.
    pub fn hover(&mut self, uri: &str, position: Value) -> String {
        let answer = self.at("hover", uri, position).expect("no error");
        answer["contents"]["value"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    }

    /// The words that may stand at a place.
    pub fn offered(&mut self, uri: &str, position: Value) -> Vec<String> {
        let answer = self.at("completion", uri, position).expect("no error");
        let items = answer["items"].as_array().expect("a list").iter();
        items
            .map(|item| {
                item["textEdit"]["newText"]
                    .as_str()
                    .expect("a text")
                    .to_owned()
            })
            .collect()
    }

    /// Says goodbye, and how the server went.
    pub fn leave(mut self) -> ExitStatus {
        self.ask("shutdown", Value::Null).expect("it shuts down");
        self.tell("exit", Value::Null);
        self.ended()
    }

    /// Waits for the end of the server.
    pub fn ended(mut self) -> ExitStatus {
        drop(self.input);
        self.child.wait().expect("it ends")
    }
}

fn heard(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some(count) = line.strip_prefix("Content-Length: ") {
            length = count.parse().expect("a number of bytes");
        }
    }
    let mut content = vec![0; length];
    output.read_exact(&mut content).ok()?;
    Some(serde_json::from_slice(&content).expect("JSON"))
}

pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The position just behind `before` where `before` and `after` first stand next to each other, in
/// lines and UTF-16 units.
pub fn place(text: &str, before: &str, after: &str) -> Value {
    let found = text.find(&format!("{before}{after}"));
    position(text, found.expect("it stands there") + before.len())
}

/// The position of a byte.
pub fn position(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let units: usize = before[start..].chars().map(char::len_utf16).sum();
    json!({"line": line, "character": units})
}

/// What the text says under a range of the protocol.
pub fn under<'t>(text: &'t str, range: &Value) -> &'t str {
    let byte = |position: &Value| {
        let line = position["line"].as_u64().expect("a line") as usize;
        let start = match line {
            0 => 0,
            _ => text.match_indices('\n').nth(line - 1).expect("a line").0 + 1,
        };
        let mut left = position["character"].as_u64().expect("a column") as usize;
        let mut at = start;
        for c in text[start..].chars() {
            if left == 0 {
                break;
            }
            left -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    };
    &text[byte(&range["start"])..byte(&range["end"])]
}

/// The text after edits.
pub fn edited(text: &str, edits: &Value) -> String {
    let mut edits = edits.as_array().expect("edits").clone();
    edits.sort_by_key(|edit| {
        let start = &edit["range"]["start"];
        (start["line"].as_u64(), start["character"].as_u64())
    });
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        let old = under(text, &edit["range"]);
        let at = old.as_ptr() as usize - text.as_ptr() as usize;
        out.replace_range(
            at..at + old.len(),
            edit["newText"].as_str().expect("a text"),
        );
    }
    out
}
