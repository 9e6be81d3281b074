//! `doorward admin session`.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use super::Answer;
use super::arguments::{EndSessions, ListSessions};
use super::core::Core;
use super::error::AdminError;
use super::table::{lines, shown, table};
use crate::core_client::{ClientError, Page, SessionFilter};
use crate::wire::admin::{SessionEntry, SessionList};
use crate::wire::{ErrorWord, SessionKey};

/// A page of sessions.
pub(super) async fn list(core: &Core, asked: &ListSessions) -> Result<Answer, AdminError> {
    let filter = asked.user.clone().map_or(SessionFilter::All, SessionFilter::User);
    let page = (&asked.page).into();
    let list = core.explain(core.client.sessions(&filter, &page).await)?;
    Answer::new(words(&list), &list)
}

/// All that is known of one session.
pub(super) async fn show(core: &Core, id: &str) -> Result<Answer, AdminError> {
    let session = find(core, id).await?;

    let words = lines(&[
        ("id", session.id.to_string()),
        ("user", shown(&session.user)),
        ("company", shown(&session.company)),
        ("mechanism", shown(&session.mechanism.to_string())),
        ("principal", shown(&session.principal)),
        ("opened by", shown(&session.opened_by)),
        ("acted as by", shown(session.impersonator.as_deref().unwrap_or_default())),
        ("channel", if session.channel_bound { "bound" } else { "not bound" }.to_owned()),
        ("client", session.client.map(|client| client.to_string()).unwrap_or_default()),
        ("only from", session.only_from.map(|client| client.to_string()).unwrap_or_default()),
        ("created", session.created_at.to_string()),
        (
            "last used",
            session.last_used_at.map(|at| at.to_string()).unwrap_or_else(|| "never".to_owned()),
        ),
        ("ends", session.expires_at.to_string()),
    ]);
    Answer::new(words, &session)
}

/// Ends those that are named, those of a user, or all.
pub(super) async fn end(core: &Core, asked: &EndSessions) -> Result<Answer, AdminError> {
    let mut ended = Vec::new();
    if asked.ids.is_empty() {
        let filter = asked.user.clone().map_or(SessionFilter::All, SessionFilter::User);
        let mut page = Page { limit: Some(PAGE), after: None };
        loop {
            let list = core.explain(core.client.sessions(&filter, &page).await)?;
            let ids = list.sessions.iter().map(|session| session.id).collect();
            ended.extend(end_all(core, ids).await?);
            match list.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
    } else {
        let mut ids = Vec::new();
        // All are found before any is ended: a slip of the hand ends none.
        for id in &asked.ids {
            ids.push(find(core, id).await?.id);
        }
        ended = end_all(core, ids).await?;
    }
    let words = match ended.len() {
        1 => "1 session has ended.\n".to_owned(),
        number => format!("{number} sessions have ended.\n"),
    };
    Answer::new(words, &json!({ "ended": ended }))
}

/// Ends sessions, several at once; those that ended by themselves meanwhile are left out.
async fn end_all(core: &Core, ids: Vec<SessionKey>) -> Result<Vec<SessionKey>, AdminError> {
    let mut ending = JoinSet::new();
    let mut ended = Vec::with_capacity(ids.len());
    let mut waiting = ids.into_iter();
    loop {
        while ending.len() < AT_ONCE
            && let Some(id) = waiting.next()
        {
            let client = Arc::clone(&core.client);
            ending.spawn(async move { (id, client.end_listed(&id).await) });
        }
        match ending.join_next().await {
            None => return Ok(ended),
            Some(Ok((id, Ok(())))) => ended.push(id),
            Some(Ok((_, Err(ClientError::Refused(body)))))
                if body.error == ErrorWord::EndOfSession => {}
            Some(Ok((_, Err(error)))) => return core.explain(Err(error)),
            Some(Err(broken)) => return Err(AdminError::Runtime(broken.into())),
        }
    }
}

/// The one session whose id begins so.
async fn find(core: &Core, id: &str) -> Result<SessionEntry, AdminError> {
    if !(8..=64).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(AdminError::OddId(id.to_owned()));
    }
    let page = Page { limit: Some(2), after: None };
    let list = core.client.sessions(&SessionFilter::Id(id.to_owned()), &page).await;
    let mut found = core.explain(list)?.sessions.into_iter();
    match (found.next(), found.next()) {
        (Some(session), None) => Ok(session),
        (None, _) => Err(AdminError::NoSession(id.to_owned())),
        (Some(_), Some(_)) => Err(AdminError::SeveralSessions(id.to_owned())),
    }
}

fn words(list: &SessionList) -> String {
    if list.sessions.is_empty() {
        return "There are no live sessions.\n".to_owned();
    }
    let heading =
        ["ID", "USER", "COMPANY", "BY", "OPENED BY", "CLIENT", "CREATED", "LAST USED", "ENDS"];
    let mut text = table(heading, &list.sessions.iter().map(row).collect::<Vec<_>>());
    if let Some(next) = &list.next {
        let _ = writeln!(text, "There are more: --after {next}, or a larger --limit.");
    }
    text
}

fn row(session: &SessionEntry) -> [String; 9] {
    [
        session.id.short(),
        shown(&session.user),
        shown(&session.company),
        shown(&session.mechanism.to_string()),
        shown(&session.opened_by),
        session.client.map(|client| client.to_string()).unwrap_or_default(),
        session.created_at.to_string(),
        session.last_used_at.map(|at| at.to_string()).unwrap_or_default(),
        session.expires_at.to_string(),
    ]
}

/// Sessions that are looked at for one round of ending.
const PAGE: u16 = 1000;
/// Ends that wait for the disk together.
const AT_ONCE: usize = 16;
