//! The loop: hear a message, change or ask a document, answer.
//!
//! Enters: a connection to an editor. Leaves: nothing but what went over it. Must not know what
//! the answers say.

use super::check::{self, Done, Job, OpenTexts};
use super::document::Document;
use super::{
    actions, capabilities, colours, complete, hover, layout, navigate, outline, problems, rename,
    signature,
};
use crate::world::Interrupt;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, select, unbounded};
use gen_lsp_types::{
    CodeActionParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DocumentFormattingParams, DocumentSymbolParams, Notification,
    PrepareRenameParams, PublishDiagnosticsNotification, PublishDiagnosticsParams, ReferenceParams,
    RenameParams, SemanticTokensParams, TextDocumentIdentifier, TextDocumentPositionParams, Uri,
};
use lsp_server::{Connection, ErrorCode, Message, Response, ResponseError};
use rustc_hash::FxHashMap;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How often a raised interrupt is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Why serving ended otherwise than by the editor's leave.
pub(super) type Broken = Box<dyn Error>;

/// Serves until the editor asks to shut down and says `exit`.
///
/// # Errors
/// An editor that breaks the protocol or goes away without a word; an interrupt.
pub(super) fn serve(connection: &Connection, interrupt: &Interrupt) -> Result<(), Broken> {
    let (id, _) = connection.initialize_start_while(|| !interrupt.is_raised())?;
    let greeting = serde_json::to_value(capabilities::initialized())?;
    connection.initialize_finish_while(id, greeting, || !interrupt.is_raised())?;
    let (jobs, to_check) = unbounded();
    let (done, checked) = unbounded();
    check::start(to_check, done)?;
    let mut server = Server {
        connection,
        documents: FxHashMap::default(),
        jobs,
        waiting: Vec::new(),
        is_checking: false,
    };
    server.run(&checked, interrupt)
}

struct Server<'c> {
    connection: &'c Connection,
    documents: FxHashMap<Uri, Document>,
    jobs: Sender<Job>,
    /// Documents whose newest text has not been given to the checker.
    waiting: Vec<Uri>,
    /// The checker has a job.
    is_checking: bool,
}

/// What a request comes to: a result, or why there is none.
type Answer = Result<serde_json::Value, ResponseError>;

impl Server<'_> {
    fn run(&mut self, checked: &Receiver<Done>, interrupt: &Interrupt) -> Result<(), Broken> {
        loop {
            select! {
                recv(self.connection.receiver) -> message => match message {
                    Ok(Message::Request(request)) => {
                        if self.connection.handle_shutdown(&request)? {
                            return Ok(());
                        }
                        let answer = self.answered(&request);
                        let response = Response { id: request.id, response_result: answer };
                        self.send(Message::Response(response))?;
                    }
                    Ok(Message::Notification(note)) => {
                        if note.method == "exit" {
                            return Err("exit without shutdown".into());
                        }
                        self.noted(note);
                    }
                    // Nothing is asked of the editor.
                    Ok(Message::Response(_)) => {}
                    Err(_) => return Err(RecvTimeoutError::Disconnected.into()),
                },
                recv(checked) -> done => {
                    self.is_checking = false;
                    if let Ok(done) = done {
                        self.publish(done)?;
                    }
                }
                default(LOOK) => {
                    if interrupt.is_raised() {
                        return Err("interrupted".into());
                    }
                }
            }
            self.check_next();
        }
    }

    fn send(&self, message: Message) -> Result<(), Broken> {
        Ok(self.connection.sender.send(message)?)
    }

    // ---- checking ----

    /// Gives the checker the newest text that it has not seen.
    fn check_next(&mut self) {
        if self.is_checking {
            return;
        }
        if self.waiting.is_empty() {
            return;
        }
        let uri = self.waiting.remove(0);
        let Some(document) = self.documents.get(&uri) else {
            return;
        };
        let texts = self.documents.values();
        let open: OpenTexts = texts
            .map(|document| (document.path.clone(), document.text.clone()))
            .collect();
        let job = Job {
            uri,
            path: document.path.clone(),
            version: document.version,
            open,
        };
        self.is_checking = self.jobs.send(job).is_ok();
    }

    /// Tells the editor what was found, unless the text has moved on.
    fn publish(&mut self, done: Done) -> Result<(), Broken> {
        let Some(document) = self.documents.get_mut(&done.uri) else {
            return Ok(());
        };
        if !document.take(done.checked) {
            return Ok(());
        }
        let found = problems::published(document);
        self.send_problems(found)
    }

    fn send_problems(&self, found: PublishDiagnosticsParams) -> Result<(), Broken> {
        let method = PublishDiagnosticsNotification::METHOD.to_string();
        let note = lsp_server::Notification::new(method, found);
        self.send(Message::Notification(note))
    }

    /// The documents that may take something from another one.
    fn wake_users_of(&mut self, changed: &Uri) {
        let mut woken: Vec<Uri> = Vec::new();
        for (uri, document) in &self.documents {
            // The text changed is not read again here: the checker does so beside this thread.
            if uri == changed {
                woken.insert(0, uri.clone());
            } else if document.uses_others() {
                woken.push(uri.clone());
            }
        }
        // What is being written comes first.
        self.waiting.retain(|known| !woken.contains(known));
        woken.append(&mut self.waiting);
        self.waiting = woken;
    }

    // ---- notifications ----

    fn noted(&mut self, note: lsp_server::Notification) {
        let params = note.params;
        match note.method.as_str() {
            "textDocument/didOpen" => {
                if let Some(opened) = read::<DidOpenTextDocumentParams>(params) {
                    let item = opened.text_document;
                    let document = Document::new(item.uri.clone(), item.version, &item.text);
                    self.documents.insert(item.uri.clone(), document);
                    self.wake_users_of(&item.uri);
                }
            }
            "textDocument/didChange" => {
                if let Some(changed) = read::<DidChangeTextDocumentParams>(params) {
                    let named = changed.text_document;
                    let uri = named.text_document_identifier.uri;
                    if let Some(document) = self.documents.get_mut(&uri) {
                        document.change(named.version, changed.content_changes);
                        self.wake_users_of(&uri);
                    }
                }
            }
            // A table on disk may be another one by now.
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.waiting = self.documents.keys().cloned().collect();
            }
            "textDocument/didClose" => {
                if let Some(closed) = read::<DidCloseTextDocumentParams>(params) {
                    let uri = closed.text_document.uri;
                    self.documents.remove(&uri);
                    self.waiting.retain(|known| *known != uri);
                    // What uses it takes the file on disk again.
                    self.wake_users_of(&uri);
                    let nothing = PublishDiagnosticsParams {
                        uri,
                        version: None,
                        diagnostics: Vec::new(),
                    };
                    // An editor that has gone is noticed by the loop.
                    let _ = self.send_problems(nothing);
                }
            }
            _ => {}
        }
    }

    // ---- requests ----

    /// A fault while answering costs this answer, not the server.
    fn answered(&self, request: &lsp_server::Request) -> Answer {
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request)));
        answer.unwrap_or_else(|_| {
            Err(refused(
                ErrorCode::InternalError,
                format!("{} met a fault of the server", request.method),
            ))
        })
    }

    fn answer(&self, request: &lsp_server::Request) -> Answer {
        let params = || request.params.clone();
        match request.method.as_str() {
            "textDocument/hover" => self.at(params(), hover::hover),
            "textDocument/completion" => self.at(params(), complete::complete),
            "textDocument/signatureHelp" => self.at(params(), signature::signature),
            "textDocument/definition" => self.at(params(), navigate::definition),
            "textDocument/implementation" => self.at(params(), navigate::implementation),
            "textDocument/documentHighlight" => self.at(params(), navigate::highlights),
            "textDocument/references" => {
                let asked: ReferenceParams = wanted(params())?;
                let (document, at) = self.place(&asked.text_document_position_params)?;
                let declaration = asked.context.include_declaration;
                told(navigate::references(document, at, declaration))
            }
            "textDocument/documentSymbol" => {
                let asked: DocumentSymbolParams = wanted(params())?;
                let document = self.document(&asked.text_document)?;
                told(outline::outline(document))
            }
            "textDocument/formatting" => {
                let asked: DocumentFormattingParams = wanted(params())?;
                told(layout::laid_out(self.document(&asked.text_document)?))
            }
            "textDocument/semanticTokens/full" => {
                let asked: SemanticTokensParams = wanted(params())?;
                told(colours::colours(self.document(&asked.text_document)?))
            }
            "textDocument/codeAction" => {
                let asked: CodeActionParams = wanted(params())?;
                let document = self.document(&asked.text_document)?;
                told(actions::actions(document, asked.range))
            }
            "textDocument/prepareRename" => {
                let asked: PrepareRenameParams = wanted(params())?;
                let (document, at) = self.place(&asked.text_document_position_params)?;
                renamed(rename::prepare(document, at))
            }
            "textDocument/rename" => {
                let asked: RenameParams = wanted(params())?;
                let (document, at) = self.place(&asked.text_document_position_params)?;
                renamed(rename::rename(document, at, &asked.new_name))
            }
            other => Err(refused(
                ErrorCode::MethodNotFound,
                format!("`{other}` is not answered"),
            )),
        }
    }

    /// The answer of a function of a document and a place in it.
    fn at<A: serde::Serialize>(
        &self,
        params: serde_json::Value,
        answer: impl FnOnce(&Document, usize) -> A,
    ) -> Answer {
        let place: TextDocumentPositionParams = wanted(params)?;
        let (document, at) = self.place(&place)?;
        told(answer(document, at))
    }

    fn document(&self, named: &TextDocumentIdentifier) -> Result<&Document, ResponseError> {
        self.documents.get(&named.uri).ok_or_else(|| {
            refused(
                ErrorCode::InvalidParams,
                format!("{} is not open", named.uri),
            )
        })
    }

    fn place(
        &self,
        place: &TextDocumentPositionParams,
    ) -> Result<(&Document, usize), ResponseError> {
        let document = self.document(&place.text_document)?;
        Ok((document, document.offset(place.position)))
    }
}

/// Parameters of a notification; one that makes no sense is passed over, as the protocol has it.
fn read<P: serde::de::DeserializeOwned>(params: serde_json::Value) -> Option<P> {
    serde_json::from_value(params).ok()
}

fn wanted<P: serde::de::DeserializeOwned>(params: serde_json::Value) -> Result<P, ResponseError> {
    serde_json::from_value(params)
        .map_err(|error| refused(ErrorCode::InvalidParams, error.to_string()))
}

fn told(answer: impl serde::Serialize) -> Answer {
    serde_json::to_value(answer)
        .map_err(|error| refused(ErrorCode::InternalError, error.to_string()))
}

/// A refusal of a new name is shown to the user as it is.
fn renamed(answer: Result<impl serde::Serialize, String>) -> Answer {
    told(answer.map_err(|reason| refused(ErrorCode::RequestFailed, reason))?)
}

fn refused(code: ErrorCode, message: String) -> ResponseError {
    ResponseError {
        code: code as i32,
        message,
        data: None,
    }
}
