//! The core: whether it answers, and whom it takes this user for.

use super::finding::Finding;
use crate::config::Settings;
use crate::config::checked::CoreAddress;
use crate::wire::Whoami;
use crate::wire::client::{Client, ClientError};

pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let address = &settings.front.core;
    let own = CoreAddress::Unix(settings.core.listen.clone());
    vec![match Client::new(address.clone()).whoami().await {
        Ok(whoami) => taken_for(address, &whoami),
        // Front and core of one configuration start together.
        Err(ClientError::Unreachable { .. }) if *address == own => resting(&settings.core.listen),
        Err(error) => Finding::fail(
            "core",
            error.to_string(),
            "start the core (doorward core), and let [front] core name its socket",
        ),
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
            "if the front runs as this user, name it in [core] front_users",
        ),
    }
}

fn resting(path: &std::path::Path) -> Finding {
    let folder = path.ancestors().skip(1).find(|above| above.exists());
    let can_make = folder.is_some_and(|folder| {
        folder.is_dir() && nix::unistd::access(folder, nix::unistd::AccessFlags::W_OK).is_ok()
    });
    if can_make {
        let found = format!("none runs now; one can listen at {}", path.display());
        return Finding::ok("core", found);
    }
    Finding::fail(
        "core",
        format!("none runs, and this user cannot make the socket {}", path.display()),
        "create its folder for the user that the core runs as (RuntimeDirectory= in systemd), or set [core] listen",
    )
}
