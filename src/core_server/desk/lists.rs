//! What administrators see of sessions and keys.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Desk;
use crate::clock::{self, Timestamp};
use crate::core_server::Core;
use crate::core_server::refusal::Refusal;
use crate::core_server::rights::{Permit, SeeKeys, SeeSessions};
use crate::core_server::sessions::{Cursor, Filter, Snapshot};
use crate::identity::{Rules, Via, identify};
use crate::wire::LoginId;
use crate::wire::admin::{KeyList, SessionEntry, SessionList};

/// What part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Page {
    /// Entries at most.
    pub(in crate::core_server) limit: usize,
    /// Those after this one: what a page before it called `next`.
    pub(in crate::core_server) after: Option<String>,
    /// Those of this user.
    pub(in crate::core_server) user: Option<String>,
    /// Those whose id begins so.
    pub(in crate::core_server) id: Option<String>,
}

impl Desk {
    /// A page of the sessions that live.
    pub(in crate::core_server) fn sessions(
        &self,
        page: Result<Page, Refusal>,
    ) -> Result<SessionList, Refusal> {
        let permit = self.permit(SeeSessions)?;
        let page = page?;
        let filter = filter(&page, &self.core.policy.load().identity)?;
        let after = page.after.as_deref().map(str::parse::<Cursor>).transpose().map_err(|_| {
            Refusal::bad_request("after must be the value of next in the previous page.")
        })?;
        Ok(self.core.list(&permit, &filter, after, page.limit))
    }

    /// A page of the keys.
    pub(in crate::core_server) async fn keys(
        &self,
        page: Result<Page, Refusal>,
    ) -> Result<KeyList, Refusal> {
        let permit = self.permit(SeeKeys)?;
        self.core.list_keys(&permit, page?, clock::now()).await
    }
}

impl Core {
    fn list(
        &self,
        _permit: &Permit<SeeSessions>,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> SessionList {
        // One more says whether there is more.
        let mut seen = self.sessions.list(filter, after, limit.saturating_add(1), clock::now());
        let more = seen.len() > limit;
        seen.truncate(limit);
        let last = seen.last().filter(|_| more);
        let next = last.map(|seen| Cursor::of(&seen.record).to_string());
        SessionList { sessions: seen.iter().map(entry).collect(), next }
    }

    async fn list_keys(
        &self,
        _permit: &Permit<SeeKeys>,
        page: Page,
        now: Timestamp,
    ) -> Result<KeyList, Refusal> {
        let rules = self.keys();
        let limit = page.limit;
        let listing =
            spawn_blocking(move || rules.list(page.after.as_deref(), limit.saturating_add(1), now));
        let Ok(Ok(mut list)) = timeout(READ_TIMEOUT, listing).await else {
            tracing::error!("the files in sslkeys_path could not be read in time");
            return Err(Refusal::unjudged());
        };
        let more = list.keys.len() > limit;
        list.keys.truncate(limit);
        list.next = list.keys.last().filter(|_| more).map(|key| key.file.to_string());
        Ok(list)
    }
}

/// A name is taken by the rules of sign-on, so it may be written as for that: the
/// realm or domain in it tells users of one login apart, and without either it means
/// the user who is of no tenant.
fn filter(page: &Page, rules: &Rules) -> Result<Filter, Refusal> {
    match (&page.user, &page.id) {
        (Some(_), Some(_)) => Err(Refusal::bad_request("Give user or id, not both.")),
        (Some(user), None) => Ok(match identify(user, Via::Trusted, rules) {
            Ok(who) => Filter::User(who.login_id().clone()),
            Err(_) => Filter::User(LoginId::without_company(user)),
        }),
        (None, Some(id)) if is_beginning(id) => Ok(Filter::Id(id.to_ascii_lowercase())),
        (None, Some(_)) => Err(Refusal::bad_request(
            "id must be the beginning of a session's id: 8 to 64 hex digits, as in the audit log.",
        )),
        (None, None) => Ok(Filter::All),
    }
}

fn is_beginning(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn entry(Snapshot { record, usage }: &Snapshot) -> SessionEntry {
    SessionEntry {
        id: record.key,
        user: record.user.login().to_owned(),
        company: record.user.company().to_owned(),
        mechanism: record.mechanism.into(),
        principal: record.principal.clone(),
        channel_bound: record.channel_bound,
        opened_by: record.opened_by.to_string(),
        impersonator: record.impersonator.clone(),
        client: record.client,
        only_from: record.only_from,
        created_at: record.opened_at,
        last_used_at: usage.claimed.then_some(usage.last_used),
        expires_at: record.expires_at,
    }
}

/// Folders of keys take no longer to read.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
