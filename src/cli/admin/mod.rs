//! `doorward admin`: asks a running core, over its unix socket or by TLS.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

pub use self::arguments::AdminArguments;
use self::arguments::{KeyAction, SessionAction, Subject};
use self::core::Core;
use self::error::AdminError;

mod arguments;
mod core;
mod error;
mod key;
mod peer;
mod session;
mod table;

/// Asks the core, and prints its answer on standard output: tables for people,
/// or JSON.
///
/// Exit code 0: done; 1: not done; 2: wrong usage; 78: the configuration is wrong.
pub fn run(arguments: &AdminArguments) -> ExitCode {
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdminError::Runtime)
        .and_then(|runtime| runtime.block_on(ask(arguments)));
    match done {
        Ok(answer) => {
            answer.print(arguments.json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("doorward: {error}");
            error.exit_code()
        }
    }
}

async fn ask(arguments: &AdminArguments) -> Result<Answer, AdminError> {
    let core = Core::find(&arguments.place)?;
    match &arguments.subject {
        Subject::Session { action: SessionAction::List(list) } => session::list(&core, list).await,
        Subject::Session { action: SessionAction::Show { id } } => session::show(&core, id).await,
        Subject::Session { action: SessionAction::End(end) } => session::end(&core, end).await,
        Subject::Key { action: KeyAction::List(list) } => key::list(&core, list).await,
        Subject::Peer => peer::show(&core).await,
    }
}

/// What is told at the end: the same for people and for programs.
#[derive(Debug)]
struct Answer {
    words: String,
    json: serde_json::Value,
}

impl Answer {
    fn new(words: String, value: &impl Serialize) -> Result<Self, AdminError> {
        let json = serde_json::to_value(value).map_err(AdminError::Json)?;
        Ok(Self { words, json })
    }

    fn print(&self, json: bool) {
        let mut out = io::stdout().lock();
        // A reader that has gone away changes nothing about what was done.
        let _ = if json {
            writeln!(out, "{}", self.json)
        } else {
            write!(out, "{}", self.words).and_then(|()| out.flush())
        };
    }
}
