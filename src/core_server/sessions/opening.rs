//! New sessions: each gets its key, is stored, and then lives.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::rand;

use super::Sessions;
use super::table::Table;
use crate::clock::Timestamp;
use crate::core_server::request::admit::Admission;
use crate::core_server::store::{Outcome, Record, Usage, WriteError};
use crate::wire::SessionSecret;

/// Where a session comes from.
#[derive(Clone, Debug, Default)]
pub(in crate::core_server) struct Origin {
    /// The peer that opens it, in the words of the audit log.
    pub(in crate::core_server) by: Arc<str>,
    /// The client's address, as that peer tells it.
    pub(in crate::core_server) client: Option<IpAddr>,
    /// The only address it may be used from.
    pub(in crate::core_server) only_from: Option<IpAddr>,
    /// The secret that the peer proposes.
    pub(in crate::core_server) secret: Option<SessionSecret>,
}

/// A session that was just opened.
#[derive(Debug)]
pub(in crate::core_server) struct Opened {
    /// Known to its bearer alone.
    pub(in crate::core_server) secret: SessionSecret,
    pub(in crate::core_server) record: Arc<Record>,
    /// Sessions of the same user that were ended to make room, and were in use.
    pub(in crate::core_server) evicted: Vec<Arc<Record>>,
}

/// Why a session is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum NotOpened {
    /// The secret that it was to have belongs to another one, or did.
    SecretTaken,
    /// It could not be stored.
    Unrecorded(WriteError),
    /// It could not be told in the audit log.
    Unaudited,
}

impl From<WriteError> for NotOpened {
    fn from(error: WriteError) -> Self {
        Self::Unrecorded(error)
    }
}

/// A session on its way to the disk.
type Prepared = (SessionSecret, Arc<Record>);

impl Sessions {
    /// Opens a session. Must be awaited to its end, even when nobody waits for the
    /// answer any more.
    ///
    /// # Errors
    /// It is not opened.
    pub(in crate::core_server) async fn open_one(
        &self,
        admission: Admission,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Opened, NotOpened> {
        let secret = origin.secret.clone().map_or_else(new_secret, Ok)?;
        let prepared = prepare(&mut self.table(), secret, admission, origin, now)?;
        let stored = self.store.open(vec![Arc::clone(&prepared.1)]).await;
        let outcome = stored.map(|outcomes| outcomes.first().copied());
        let mut table = self.table();
        let opened = self.settle(&mut table, prepared, outcome, now);
        self.hand_over(&mut table);
        opened
    }

    /// Opens sessions with one write to the disk; an answer for each, with what was
    /// given beside it. One whose secret is taken is not opened; of the others all or
    /// none are. Must be awaited to its end, as above.
    pub(in crate::core_server) async fn open<T>(
        &self,
        admissions: Vec<(T, Admission, Origin)>,
        now: Timestamp,
    ) -> Vec<(T, Result<Opened, NotOpened>)> {
        let prepared = self.prepare_all(admissions, now);
        let records: Vec<_> = (prepared.iter())
            .filter_map(|(_, prepared)| prepared.as_ref().ok())
            .map(|(_, record)| Arc::clone(record))
            .collect();
        let stored = match records.is_empty() {
            true => Ok(Vec::new()),
            false => self.store.open(records).await,
        };
        let mut outcomes = stored.map(Vec::into_iter);
        let mut outcome = || match &mut outcomes {
            Ok(outcomes) => Ok(outcomes.next()),
            Err(error) => Err(*error),
        };
        let mut table = self.table();
        let opened = (prepared.into_iter())
            .map(|(whose, prepared)| {
                let opened = prepared.and_then(|one| self.settle(&mut table, one, outcome(), now));
                (whose, opened)
            })
            .collect();
        self.hand_over(&mut table);
        opened
    }

    /// Makes the records with one hold of the lock; what takes time, before that.
    fn prepare_all<T>(
        &self,
        admissions: Vec<(T, Admission, Origin)>,
        now: Timestamp,
    ) -> Vec<(T, Result<Prepared, NotOpened>)> {
        let with_secrets: Vec<_> = (admissions.into_iter())
            .map(|(whose, admission, origin)| {
                let secret = origin.secret.clone().map_or_else(new_secret, Ok);
                (whose, secret, admission, origin)
            })
            .collect();
        let mut table = self.table();
        (with_secrets.into_iter())
            .map(|(whose, secret, admission, origin)| {
                let prepared = secret
                    .map_err(NotOpened::from)
                    .and_then(|secret| prepare(&mut table, secret, admission, origin, now));
                (whose, prepared)
            })
            .collect()
    }

    /// Lets a session live that is stored.
    fn settle(
        &self,
        table: &mut Table,
        (secret, record): Prepared,
        stored: Result<Option<Outcome>, WriteError>,
        now: Timestamp,
    ) -> Result<Opened, NotOpened> {
        if stored != Ok(Some(Outcome::Opened)) {
            table.abandon(&record);
            return Err(stored.err().map_or(NotOpened::SecretTaken, NotOpened::from));
        }
        let ended = table.insert(Arc::clone(&record), now).map_err(|_| NotOpened::SecretTaken)?;
        self.announce(&ended);
        let used = ended.into_iter().filter(|ended| ended.was_claimed);
        Ok(Opened { secret, record, evicted: used.map(|ended| ended.record).collect() })
    }
}

/// Makes the record of a session, unless another one has its secret.
fn prepare(
    table: &mut Table,
    secret: SessionSecret,
    admission: Admission,
    origin: Origin,
    now: Timestamp,
) -> Result<Prepared, NotOpened> {
    let key = secret.key();
    let impersonator = admission.impersonator().map(ToString::to_string);
    let (user, facts, expires_at) = admission.into_parts();
    let user = table.prepare(key, Arc::new(user)).ok_or(NotOpened::SecretTaken)?;
    let record = Record {
        key,
        user,
        mechanism: facts.mechanism,
        principal: facts.principal,
        typed: facts.typed,
        public_key: facts.public_key,
        channel_bound: facts.channel_bound,
        opened_at: now,
        expires_at,
        only_from: origin.only_from,
        opened_by: origin.by,
        impersonator,
        client: origin.client,
        usage: Usage { last_used: now, claimed: false },
    };
    Ok((secret, Arc::new(record)))
}

/// A secret that nobody proposed.
fn new_secret() -> Result<SessionSecret, WriteError> {
    let mut bits = [0; 32];
    rand::fill(&mut bits).map_err(|_| {
        tracing::error!("the random source of the system failed: nobody can sign on");
        WriteError::Failed
    })?;
    Ok(SessionSecret::from_bits(&bits))
}
