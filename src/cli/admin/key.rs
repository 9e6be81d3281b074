//! `doorward admin key`.

use std::fmt::Write as _;

use super::Answer;
use super::arguments::PageArguments;
use super::core::Core;
use super::error::AdminError;
use super::table::{shown, table};
use crate::wire::Word;
use crate::wire::admin::{KeyEntry, KeyList, KeyRole};

/// The files of `sslkeys_path`.
pub(super) async fn list(core: &Core, page: &PageArguments) -> Result<Answer, AdminError> {
    let list = core.explain(core.client.keys(&page.into()).await)?;
    Answer::new(words(&list), &list)
}

fn words(list: &KeyList) -> String {
    let Some(folder) = &list.folder else {
        return "The core does not listen for TLS ([core] listen_tls), so no key is accepted.\n"
            .into();
    };
    if let Some(fault) = &list.unreadable {
        return format!(
            "{folder} cannot be read ({fault}), so no key is accepted. Let the user that the core runs as read it.\n"
        );
    }
    if list.keys.is_empty() {
        return format!("{folder} is empty.\n");
    }
    let heading = ["FILE", "STATE", "KIND", "MAY ACT AS", "FROM", "UNTIL", "SHA-256"];
    let mut text = table(heading, &list.keys.iter().map(row).collect::<Vec<_>>());
    for key in &list.keys {
        if let Some(why) = &key.why {
            let _ = writeln!(text, "{}: {}", shown(key.file.as_str()), shown(why));
        }
    }
    if let Some(next) = &list.next {
        let _ = writeln!(text, "There are more: --after {next}, or a larger --limit.");
    }
    text
}

fn row(key: &KeyEntry) -> [String; 7] {
    [
        shown(key.file.as_str()),
        shown(&key.state.to_string()),
        key.algorithm.clone().unwrap_or_default(),
        match &key.role {
            Word::Known(KeyRole::System) => "SYSTEM".to_owned(),
            Word::Known(KeyRole::Front) => "a front".to_owned(),
            Word::Known(KeyRole::Service) => key.act_as.join(", "),
            Word::Known(KeyRole::Nothing) => "-".to_owned(),
            Word::Other(role) => shown(role),
        },
        key.from.join(", "),
        key.not_after.map(|end| end.to_string()).unwrap_or_default(),
        // Enough to tell keys apart; `--json` has all of it.
        key.fingerprint.map(|hash| format!("{hash:.23}")).unwrap_or_default(),
    ]
}
