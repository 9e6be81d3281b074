//! The core: whether it answers, and whom it takes this user for.

use std::path::Path;

use super::finding::Finding;
use crate::advice::core as advice;
use crate::advice::rights::Need;
use crate::config::Settings;
use crate::config::checked::CoreAddress;
use crate::core_server::Place;
use crate::process::access;
use crate::wire::Whoami;
use crate::wire::client::{Client, ClientError};

/// `is_made`: root makes the folder of the core's socket when the gateway starts, or
/// gives it away.
pub(super) async fn check(settings: &Settings, is_made: bool) -> Vec<Finding> {
    let address = &settings.front.core;
    let own = CoreAddress::Unix(settings.core.listen.clone());
    vec![match Client::new(address.clone()).whoami().await {
        Ok(whoami) => taken_for(address, &whoami),
        // Front and core of one configuration start together.
        Err(ClientError::Unreachable { .. }) if *address == own => {
            resting(&settings.core.listen, is_made)
        }
        Err(ClientError::Unreachable { core, source }) => {
            let found = format!("the core at {core} does not answer ({source})");
            Finding::fail("core", found, advice::START)
        }
        Err(error) => Finding::error("core", &error.to_string(), advice::START),
    }]
}

fn taken_for(address: &CoreAddress, whoami: &Whoami) -> Finding {
    let uid = whoami.uid.map(|uid| format!(" (uid {uid})"));
    let key = whoami.key.as_ref().map(|key| format!(" (key {key})"));
    let uid = uid.or(key).unwrap_or_default();
    match &whoami.acting_as {
        Some(who) => Finding::ok(
            "core",
            format!("it answers at {address}, and takes this user{uid} for {who}"),
        ),
        None => Finding::warn(
            "core",
            format!("it answers at {address}, and takes this user{uid} for nobody"),
            advice::FRONT_USERS,
        ),
    }
}

/// None runs. Judged as the start would: it makes the folder where it may, and replaces a
/// socket that nobody listens on.
fn resting(path: &Path, is_made: bool) -> Finding {
    let shown = path.display();
    let free = |found: String| Finding::ok("core", found);
    if is_made {
        return free(format!("none runs now; root makes the folder of {shown} at the start"));
    }
    let place = Place::at(path);
    let folder = path.ancestors().skip(1).find(|above| above.exists()).unwrap_or(path);
    match (access::may(folder, Need::Fill), place) {
        (Err(refused), _) => {
            let said =
                format!("none runs, and this user cannot make the socket {shown}: {refused}");
            Finding::error("core", &said, advice::SOCKET_FOLDER)
        }
        (Ok(()), Ok(Place::Stale)) => {
            free(format!("none runs now; {shown} is left over, and is replaced at the start"))
        }
        (Ok(()), Ok(Place::Free)) if folder.is_dir() => {
            free(format!("none runs now; one can listen at {shown}"))
        }
        (Ok(()), Ok(Place::Free)) => {
            let found = format!("none can run: {} is no folder", folder.display());
            Finding::fail("core", found, advice::SOCKET_FOLDER)
        }
        (Ok(()), Ok(Place::NoSocket)) => {
            let found = format!("none can run: {shown} exists and is no socket");
            Finding::fail("core", found, advice::REMOVE)
        }
        (Ok(()), Ok(Place::Taken)) => {
            let found = format!("a program listens at {shown} that does not answer as a core");
            Finding::fail("core", found, advice::ANOTHER_LISTENS)
        }
        (Ok(()), Err(error)) => Finding::fail(
            "core",
            format!("{shown} cannot be looked at: {error}"),
            advice::SOCKET_FOLDER,
        ),
    }
}
