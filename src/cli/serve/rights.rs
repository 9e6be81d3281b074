//! From root to the account that the gateway runs as, and what that account can read.

use std::path::Path;

use super::ServeError;
use crate::cli::readable;
use crate::cli::role::Role;
use crate::config::Settings;
use crate::process::account::{Account, Change, group_name};
use crate::process::files::ownership;
use crate::process::privileges;

/// Becomes the account of `run_as_user`, for good, with the folders made that it
/// writes to. Nothing where the configuration names none, or where Doorward was
/// started as that account.
///
/// # Errors
/// Nothing may run then: which rights are left is not known.
pub(super) fn give_up(
    role: Role,
    settings: &Settings,
    socket_is_open: bool,
) -> Result<(), ServeError> {
    let Some(run_as) = &settings.run_as else { return Ok(()) };
    let account = Account::find(run_as)?;
    if account.change()? == Change::None {
        return Ok(());
    }
    let socket = &settings.core.listen;
    let run = socket.parent().filter(|_| role != Role::Front && !socket_is_open);
    ownership::prepare(&settings.state_path, STATE_MODE, None, &account)?;
    if let Some(run) = run {
        ownership::prepare(run, RUN_MODE, Some(socket), &account)?;
    }
    privileges::drop_to(&account)?;
    let groups: Vec<_> = account.groups.iter().map(|gid| group_name(*gid)).collect();
    tracing::info!(
        event = "privileges_dropped",
        user = account.name,
        uid = account.uid.as_raw(),
        gid = account.gid.as_raw(),
        groups = groups.join(" "),
        "root's rights have been given up"
    );
    ownership::check(&settings.state_path, &account)?;
    run.map_or(Ok(()), ownership::check_shared)?;
    Ok(())
}

/// Tells every file that cannot be read, and by whom. A keytab only in the log: one
/// may come later, and until then the front says that it is not ready.
///
/// # Errors
/// [`ServeError::Unreadable`]: a file without which nothing can be served.
pub(super) fn check(role: Role, settings: &Settings) -> Result<(), ServeError> {
    let mut first = None;
    for (key, unreadable) in readable::unreadable(role, settings) {
        tracing::error!(event = "unreadable", key, "{unreadable}");
        if key != readable::KEYTAB {
            first = first.or(Some((key, unreadable)));
        }
    }
    first.map_or(Ok(()), |(key, unreadable)| Err(ServeError::Unreadable(key, unreadable)))
}

/// Tells a configuration that was read at the start, and cannot be read again.
pub(super) fn check_configuration(file: Option<&Path>) {
    if let Some(file) = file
        && let Err(unreadable) = crate::process::files::access::check(file)
    {
        tracing::warn!(event = "unreadable", "a reload will fail: {unreadable}");
    }
}

const STATE_MODE: u32 = 0o700;
/// Everybody on this host may connect to the socket in it.
const RUN_MODE: u32 = 0o755;
