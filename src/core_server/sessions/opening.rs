//! New sessions: each gets its key, is stored, and then lives.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::rand;

use super::Sessions;
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

/// The secret that a session was to have belongs to another one, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct SecretTaken;

/// A session on its way to the disk.
type Prepared = (SessionSecret, Arc<Record>);

impl Sessions {
    /// Opens sessions with one write to the disk; an answer for each, in order. One
    /// whose secret is taken is not opened; of the others all or none are. Must be
    /// awaited to its end, even when nobody waits for the answer any more.
    ///
    /// # Errors
    /// None is opened.
    pub(in crate::core_server) async fn open(
        &self,
        admissions: Vec<(Admission, Origin)>,
        now: Timestamp,
    ) -> Result<Vec<Result<Opened, SecretTaken>>, WriteError> {
        let prepared = self.prepare(admissions, now)?;
        let records: Vec<_> =
            prepared.iter().flatten().map(|(_, record)| Arc::clone(record)).collect();
        let stored = match records.is_empty() {
            true => Ok(Vec::new()),
            false => self.store.open(records).await,
        };
        let mut table = self.table();
        let mut outcomes = match stored {
            Ok(outcomes) => outcomes.into_iter(),
            Err(error) => {
                prepared.iter().flatten().for_each(|(_, record)| table.abandon(record));
                return Err(error);
            }
        };
        let mut insert = |(secret, record): Prepared| {
            if outcomes.next() != Some(Outcome::Opened) {
                table.abandon(&record);
                return Err(SecretTaken);
            }
            let ended = table.insert(Arc::clone(&record), now).map_err(|_| SecretTaken)?;
            self.announce(&ended);
            let used = ended.into_iter().filter(|ended| ended.was_claimed);
            Ok(Opened { secret, record, evicted: used.map(|ended| ended.record).collect() })
        };
        let opened = prepared.into_iter().map(|one| one.and_then(&mut insert)).collect();
        self.hand_over(&mut table);
        Ok(opened)
    }

    fn prepare(
        &self,
        admissions: Vec<(Admission, Origin)>,
        now: Timestamp,
    ) -> Result<Vec<Result<Prepared, SecretTaken>>, WriteError> {
        let secrets = (admissions.iter())
            .map(|(_, origin)| origin.secret.clone().map_or_else(new_secret, Ok))
            .collect::<Result<Vec<_>, _>>()?;
        let mut table = self.table();
        let prepared = admissions.into_iter().zip(secrets).map(|((admission, origin), secret)| {
            let key = secret.key();
            let impersonator = admission.impersonator().map(ToString::to_string);
            let (user, facts, expires_at) = admission.into_parts();
            let user = table.prepare(key, Arc::new(user)).ok_or(SecretTaken)?;
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
        });
        Ok(prepared.collect())
    }
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
