use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;
use crate::core_server::request::admit::{Admission, admit};
use crate::core_server::request::identified::Identified;
use crate::core_server::rights::{Actor, VouchFor, permit};
use crate::core_server::store::memory::Memory;
use crate::core_server::store::{End, Stored, Usage, suite};
use crate::identity::Named;
use crate::identity::Rules;
use crate::wire::{LoginId, Mechanism, Reason, SessionSecret, User};

mod ending;
mod eviction;
mod following;
mod listing;
mod storing;

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(300),
    unclaimed: Duration::from_secs(120),
    lifetime: Duration::from_secs(LIFETIME),
    per_user: 3,
};
const LIFETIME: u64 = 36_000;
const START: u64 = 1_000_000;
const SIGNED_OFF: Ended = Ended { why: Ending::Logout, at: at(1) };

const fn at(second: u64) -> Timestamp {
    Timestamp::from_unix(START + second)
}

/// Sessions over a store that nothing else uses, and whose verbs never wait.
fn empty() -> Sessions {
    with(LIMITS)
}

fn with(limits: Limits) -> Sessions {
    begin(&Memory::default(), limits, 0)
}

/// A core begins on a store.
fn begin(memory: &Memory, limits: Limits, second: u64) -> Sessions {
    ready(Sessions::start(Box::new(memory.again()), limits, at(second))).unwrap()
}

/// What a future gives that waits for nothing.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn user(login: &str, groups: &[&str]) -> Arc<User> {
    let groups = groups.iter().map(ToString::to_string).collect();
    let user = User::clone(&suite::session("", login).user);
    Arc::new(User { login_id: LoginId::without_company(login), groups, ..user })
}

/// A session with the secret `name`, as the store has it.
fn record(login: &str, name: &str, now: Timestamp) -> Record {
    Record {
        user: user(login, &[]),
        mechanism: Mechanism::Trusted,
        opened_at: now,
        expires_at: now.plus(LIMITS.lifetime),
        only_from: None,
        usage: Usage { last_used: now, claimed: false },
        ..suite::session(name, login)
    }
}

/// Opens a session, and says which ones made room.
fn open(sessions: &Sessions, login: &str, name: &str, now: Timestamp) -> Vec<SessionKey> {
    insert(sessions, record(login, name, now), now)
}

fn insert(sessions: &Sessions, mut record: Record, now: Timestamp) -> Vec<SessionKey> {
    let mut table = sessions.table();
    record.user = table.prepare(record.key, record.user).unwrap();
    let evicted = table.insert(Arc::new(record), now).unwrap();
    evicted.into_iter().map(|ended| ended.record.key).collect()
}

fn lives(sessions: &Sessions, name: &str, now: Timestamp) -> bool {
    sessions.resolve(&SessionKey::sample(name), None, now).is_ok()
}

fn keys(names: &[&str]) -> Vec<SessionKey> {
    names.iter().map(|name| SessionKey::sample(name)).collect()
}

fn admission(login: &str, now: Timestamp) -> Admission {
    let named = Named::read(login.to_owned(), &Rules::new(&[], &[], Vec::new())).unwrap();
    let identified = Identified::vouched(permit(Actor::System, VouchFor(named)).unwrap());
    admit(identified, LIMITS.lifetime, now).unwrap()
}

async fn open_one(sessions: &Sessions, login: &str) -> Result<SessionSecret, NotOpened> {
    let admission = admission(login, at(0));
    Ok(sessions.open_one(admission, Origin::default(), at(0)).await?.secret)
}
