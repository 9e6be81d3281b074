//! The session store: who uses it, and whether Doorward can start with it.

use std::time::Duration;

use crate::advice::storage as advice;
use crate::cli::check::Context;
use crate::cli::check::gateway::process::Process;
use crate::cli::check::report::Finding;
use crate::core_server::store::sqlite::inspect::{Condition, holder, inspect};
use crate::core_server::store::{FILE_NAME, OpenError};

pub(super) fn check(context: &Context<'_>) -> Option<Finding> {
    let path = context.settings.state_path.join(FILE_NAME);
    let shown = path.display();
    if !path.exists() {
        return Some(Finding::ok(CHECK, format!("{shown} will be made at the first start")));
    }
    if !path.is_file() {
        let found = format!("{shown} is not a file: the gateway does not start");
        return Some(Finding::fail(CHECK, found, advice::no_store(&path)));
    }
    // One that cannot be read is told with the folder's files.
    Some(match holder(&path).ok()? {
        None => match inspect(&path, LIMIT) {
            Ok(condition) => sound(&shown.to_string(), &condition),
            Err(error) => unsound(&error),
        },
        Some(None) => {
            Finding::ok(CHECK, format!("{shown} is used by a process that this user cannot see"))
        }
        Some(Some(pid)) => held(context, &shown.to_string(), Process::of(pid)),
    })
}

fn sound(shown: &str, condition: &Condition) -> Finding {
    Finding::ok(
        CHECK,
        match condition {
            Condition::Sound { sessions: 1 } => format!("{shown} is intact and contains 1 session"),
            Condition::Sound { sessions } => {
                format!("{shown} is intact and contains {sessions} sessions")
            }
            Condition::Unfinished => format!(
                "{shown} is large: the part that was read within {} s is intact",
                LIMIT.as_secs()
            ),
        },
    )
}

fn unsound(error: &OpenError) -> Finding {
    match error {
        OpenError::Damaged { path, what } => Finding::fail(
            CHECK,
            format!("{} is damaged ({what}): the gateway does not start", path.display()),
            advice::move_store_aside(path),
        ),
        OpenError::Newer { path, found, known } => Finding::fail(
            CHECK,
            format!(
                "{} has format {found}, but this version knows only formats up to {known}",
                path.display()
            ),
            advice::newer_store(path),
        ),
        other => Finding::error(CHECK, &other.to_string(), advice::LOOK_AT_STORE),
    }
}

/// Beside the gateway that is to hold it, all is well.
fn held(context: &Context<'_>, shown: &str, holder: Process) -> Finding {
    let by = format!("{shown} is used by {holder}");
    if !holder.is_doorward() {
        return Finding::fail(CHECK, by, advice::end_holder(holder.pid));
    }
    if context.gateway.is_another(&holder) {
        let found = format!("{by}, which is not the gateway of this configuration");
        return Finding::fail(CHECK, found, advice::OWN_STATE);
    }
    Finding::ok(CHECK, by)
}

const CHECK: &str = "session store";

/// For the whole of the database.
const LIMIT: Duration = Duration::from_secs(5);
