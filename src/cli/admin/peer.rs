//! `doorward admin peer`.

use super::Answer;
use super::core::Core;
use super::error::AdminError;
use super::table::lines;
use crate::wire::{ActingAs, Whoami};

/// For whom the core takes this process.
pub(super) async fn show(core: &Core) -> Result<Answer, AdminError> {
    let whoami = core.explain(core.client.whoami().await)?;
    let words =
        lines(&[("core", core.name()), ("peer", peer(&whoami)), ("acts as", acts_as(&whoami))]);
    Answer::new(words, &whoami)
}

fn peer(whoami: &Whoami) -> String {
    match (&whoami.key, whoami.uid) {
        (Some(key), _) => format!("key {key}"),
        (None, Some(uid)) => format!("uid {uid}"),
        (None, None) => "nobody: no certificate was shown (--sslkey-file)".to_owned(),
    }
}

fn acts_as(whoami: &Whoami) -> String {
    match &whoami.acting_as {
        Some(ActingAs::System) => "SYSTEM: may do everything, for everybody".to_owned(),
        Some(ActingAs::Front) => {
            "a front: authenticates clients, and vouches for nobody".to_owned()
        }
        Some(ActingAs::Users(users)) if whoami.key.is_some() => {
            format!("the users it vouches for: {users}")
        }
        Some(ActingAs::Users(account)) => format!("its own account, {account}"),
        None => "nobody".to_owned(),
    }
}
