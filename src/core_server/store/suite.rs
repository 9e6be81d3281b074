//! The rules of a [`Store`], as tests that every implementation passes. A further
//! implementation is a [`Place`] and a line with [`suite!`].

use super::*;
use crate::clock;
use crate::wire::{AdminLevel, Ending, Fingerprint, LoginId, Mechanism, User};

/// Where an implementation under test keeps what it stores.
pub(in crate::core_server) trait Place {
    /// Opens the store that is there, as a core that starts does.
    fn open(&self) -> Box<dyn Store>;
    /// The same, with room for some hundred sessions.
    fn open_small(&self) -> Box<dyn Store>;
}

/// A session of a user in three groups, opened this moment, with the secret `name`.
pub(in crate::core_server) fn session(name: &str, login: &str) -> Record {
    let now = clock::now();
    let group = |number: u64| format!("S-1-5-21-1-2-3-{number}");
    Record {
        key: SessionKey::sample(name),
        user: Arc::new(User {
            login_id: LoginId::new(login, "example"),
            name: String::new(),
            email: String::new(),
            groups: (513..516).map(group).collect(),
            admin: AdminLevel::None,
        }),
        mechanism: Mechanism::Negotiate,
        principal: format!("{login}@EXAMPLE.TEST"),
        typed: None,
        public_key: None,
        channel_bound: true,
        opened_at: now,
        expires_at: now.plus(HOUR),
        only_from: Some("2001:db8::7".parse().unwrap()),
        opened_by: "uid 33".into(),
        impersonator: Some("root".to_owned()),
        client: Some("192.0.2.7".parse().unwrap()),
        usage: Usage { last_used: now, claimed: false },
    }
}

/// The end of a session, this moment.
pub(in crate::core_server) fn ended(record: &Record) -> End {
    let ended = Ended { why: Ending::Logout, at: clock::now() };
    End { key: record.key, ended, expires_at: record.expires_at }
}

async fn open(store: &dyn Store, records: &[&Record]) -> Result<Vec<Outcome>, WriteError> {
    store.open(records.iter().map(|&record| Arc::new(record.clone())).collect()).await
}

/// What a core that starts finds.
async fn sessions(place: &dyn Place) -> Vec<Record> {
    let stored = place.open().load().await.unwrap();
    stored.sessions.iter().map(|record| Record::clone(record)).collect()
}

pub(super) async fn what_is_opened_is_loaded_in_that_order(place: &dyn Place) {
    let mut other = session("other", "mary");
    other.mechanism = Mechanism::Unix;
    other.only_from = None;
    other.impersonator = None;
    other.client = None;
    other.channel_bound = false;
    other.public_key = Some(Fingerprint::of_spki(b"a key"));
    let opened = [session("c", "john"), session("a", "john"), other, session("b", "john")];
    let store = place.open();
    for batch in [&opened[..1], &opened[1..]] {
        let outcomes = open(&*store, &batch.iter().collect::<Vec<_>>()).await;
        assert_eq!(outcomes, Ok(vec![Outcome::Opened; batch.len()]));
    }
    drop(store);
    assert_eq!(sessions(place).await, opened);
    let stored = place.open().load().await.unwrap();
    assert_eq!((stored.ends.len(), stored.skipped), (0, 0));
}

pub(super) async fn sessions_of_one_user_share_it(place: &dyn Place) {
    let user = session("", "john").user;
    let of_john = |name| Record { user: Arc::clone(&user), ..session(name, "john") };
    let store = place.open();
    for name in ["a", "b", "c"] {
        open(&*store, &[&of_john(name)]).await.unwrap();
    }
    drop(store);
    let loaded = sessions(place).await;
    assert_eq!(loaded.len(), 3);
    assert!(loaded.iter().all(|session| Arc::ptr_eq(&session.user, &loaded[0].user)));
}

pub(super) async fn no_key_is_opened_twice(place: &dyn Place) {
    let (john, mary) = (session("a", "john"), session("a", "mary"));
    let store = place.open();
    assert_eq!(open(&*store, &[&john, &mary]).await, Ok(vec![Outcome::Opened, Outcome::Taken]));
    let beside = session("b", "mary");
    let outcomes = open(&*store, &[&mary, &beside]).await;
    assert_eq!(outcomes, Ok(vec![Outcome::Taken, Outcome::Opened]), "the others are opened");
    drop(store);
    assert_eq!(open(&*place.open(), &[&mary]).await, Ok(vec![Outcome::Taken]));
    assert_eq!(sessions(place).await, [john, beside]);
}

pub(super) async fn an_end_wins_over_what_is_opened_later(place: &dyn Place) {
    let (over, unawaited) = (session("a", "john"), session("b", "mary"));
    let store = place.open();
    open(&*store, &[&over, &unawaited]).await.unwrap();
    store.end(vec![ended(&over)]).await.unwrap();
    drop(store.end(vec![ended(&unawaited)]));
    let again = [&over, &unawaited];
    assert_eq!(open(&*store, &again).await, Ok(vec![Outcome::Taken; 2]));
    drop(store);
    let store = place.open();
    let stored = store.load().await.unwrap();
    assert_eq!(stored.sessions, []);
    let mut why: Vec<_> = stored.ends.iter().map(|end| (end.key, end.ended.why)).collect();
    why.sort_by_key(|(key, _)| *key != over.key);
    assert_eq!(why, [(over.key, Ending::Logout), (unawaited.key, Ending::Logout)]);
    assert_eq!(open(&*store, &again).await, Ok(vec![Outcome::Taken; 2]));
}

pub(super) async fn an_end_wins_also_where_the_session_never_was(place: &dyn Place) {
    let late = session("a", "john");
    let store = place.open();
    store.end(vec![ended(&late)]).await.unwrap();
    assert_eq!(open(&*store, &[&late]).await, Ok(vec![Outcome::Taken]));
    drop(store);
    assert_eq!(sessions(place).await, []);
}

pub(super) async fn the_first_end_of_a_session_is_the_one_that_counts(place: &dyn Place) {
    let over = session("a", "john");
    let store = place.open();
    open(&*store, &[&over]).await.unwrap();
    store.end(vec![ended(&over)]).await.unwrap();
    let later = Ended { why: Ending::Admin, at: over.opened_at };
    store.end(vec![End { ended: later, ..ended(&over) }]).await.unwrap();
    let ends = store.load().await.unwrap().ends;
    assert_eq!(ends.iter().map(|end| end.ended.why).collect::<Vec<_>>(), [Ending::Logout]);
}

pub(super) async fn a_use_after_the_end_brings_nothing_back(place: &dyn Place) {
    let (over, beside) = (session("a", "john"), session("b", "mary"));
    let store = place.open();
    open(&*store, &[&over, &beside]).await.unwrap();
    store.end(vec![ended(&over)]).await.unwrap();
    let usage = Usage { last_used: over.opened_at.plus(MINUTE), claimed: true };
    let never = SessionKey::sample("never");
    store.touch(HashMap::from([(over.key, usage), (never, usage)]));
    assert_eq!(open(&*store, &[&over]).await, Ok(vec![Outcome::Taken]));
    drop(store);
    assert_eq!(sessions(place).await, [beside]);
}

pub(super) async fn the_latest_use_counts_in_whatever_order_they_come(place: &dyn Place) {
    let used = session("a", "john");
    let at = |minutes| used.opened_at.plus(MINUTE * minutes);
    let store = place.open();
    open(&*store, &[&used]).await.unwrap();
    for (minute, claimed) in [(3, false), (5, true), (1, false)] {
        store.touch(HashMap::from([(used.key, Usage { last_used: at(minute), claimed })]));
        // What waits is written with this.
        open(&*store, &[&session(&format!("beside {minute}"), "mary")]).await.unwrap();
    }
    store.touch(HashMap::from([(used.key, Usage { last_used: at(4), claimed: false })]));
    drop(store);
    let loaded = &sessions(place).await[0];
    assert_eq!(loaded.usage, Usage { last_used: at(5), claimed: true });
}

pub(super) async fn an_end_is_forgotten_when_nothing_can_bring_the_session_back(place: &dyn Place) {
    let past = session("a", "john");
    let store = place.open();
    let at = Timestamp::from_unix(past.opened_at.unix() - 60);
    let over = End { ended: Ended { at, ..ended(&past).ended }, expires_at: at, ..ended(&past) };
    store.end(vec![over]).await.unwrap();
    assert_eq!(store.load().await.unwrap().ends, []);
    assert_eq!(open(&*store, &[&past]).await, Ok(vec![Outcome::Opened]));
}

pub(super) async fn what_is_on_its_way_when_a_store_closes_is_written(place: &dyn Place) {
    let (used, over) = (session("a", "john"), session("b", "mary"));
    let store = place.open();
    open(&*store, &[&used, &over]).await.unwrap();
    let usage = Usage { last_used: used.opened_at.plus(MINUTE), claimed: true };
    store.touch(HashMap::from([(used.key, usage)]));
    drop(store.end(vec![ended(&over)]));
    drop(store);
    assert_eq!(sessions(place).await, [Record { usage, ..used }]);
}

pub(super) async fn a_batch_is_opened_as_a_whole_or_not_at_all(place: &dyn Place) {
    let many: Vec<_> = (0..5_000).map(|number| session(&number.to_string(), "john")).collect();
    let store = place.open_small();
    let batch: Vec<_> = many.iter().collect();
    assert_eq!(open(&*store, &batch).await, Err(WriteError::Full));
    assert_eq!(open(&*store, &[&many[7]]).await, Ok(vec![Outcome::Opened]), "no key is taken");
    drop(store);
    assert_eq!(sessions(place).await, many[7..=7]);
}

pub(super) async fn a_full_store_takes_ends_and_goes_on_when_there_is_room(place: &dyn Place) {
    let store = place.open_small();
    let mut opened = Vec::new();
    let full = loop {
        let new = session(&opened.len().to_string(), "john");
        match open(&*store, &[&new]).await {
            Ok(_) => opened.push(new),
            Err(error) => break error,
        }
    };
    assert_eq!(full, WriteError::Full);
    assert!(opened.len() > 100, "{} sessions fit", opened.len());
    let left = opened.split_off(100);
    assert_eq!(store.end(opened.iter().map(ended).collect()).await, Ok(()));
    let new = session("new", "john");
    assert_eq!(open(&*store, &[&new]).await, Ok(vec![Outcome::Opened]));
    drop(store);
    assert_eq!(sessions(place).await, [left, vec![new]].concat());
}

/// Has an implementation tested: its name, and where it keeps what it stores.
macro_rules! suite {
    ($name:ident, $place:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $crate::core_server::store::suite::rules!($place);
        }
    };
}

/// A test for each rule.
macro_rules! rules {
    ($place:expr) => {
        $crate::core_server::store::suite::rules! {
            $place;
            what_is_opened_is_loaded_in_that_order,
            sessions_of_one_user_share_it,
            no_key_is_opened_twice,
            an_end_wins_over_what_is_opened_later,
            an_end_wins_also_where_the_session_never_was,
            the_first_end_of_a_session_is_the_one_that_counts,
            a_use_after_the_end_brings_nothing_back,
            the_latest_use_counts_in_whatever_order_they_come,
            an_end_is_forgotten_when_nothing_can_bring_the_session_back,
            what_is_on_its_way_when_a_store_closes_is_written,
            a_batch_is_opened_as_a_whole_or_not_at_all,
            a_full_store_takes_ends_and_goes_on_when_there_is_room,
        }
    };
    ($place:expr; $($rule:ident,)*) => {$(
        #[tokio::test]
        async fn $rule() {
            $crate::core_server::store::suite::$rule(&$place).await;
        }
    )*};
}

pub(super) use {rules, suite};

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);
const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
