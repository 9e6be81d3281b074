//! What other cores do in a store that is shared.

use super::*;

/// Two cores on one store. The first follows the second.
fn two() -> (Sessions, Sessions) {
    let memory = Memory::default();
    (begin(&memory, LIMITS, 0), begin(&memory, LIMITS, 0))
}

/// Takes up all that was told so far; the sessions that were ended here for that.
fn follow(sessions: &Sessions) -> Vec<SessionKey> {
    let mut ended = Vec::new();
    {
        let mut follow = pin!(sessions.follow(|session| ended.push(session.record.key)));
        let polled = follow.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Pending);
    }
    ended
}

#[test]
fn what_one_core_opens_uses_and_ends_the_other_knows() {
    let (one, other) = two();
    let now = clock::now();
    let opened = |login| {
        ready(other.open_one(admission(login, now), Origin::default(), now)).unwrap().record
    };
    let (john, mary) = (opened("john"), opened("mary"));
    let later = now.plus(Duration::from_secs(60));
    assert!(other.resolve(&john.key, None, later).is_ok());
    other.sweep(later, |_| {});
    let _recorded = ready(other.end(&mary.key, Ending::Admin, later)).unwrap();
    assert_eq!(follow(&one), []);
    let seen = one.see(&john.key, later).unwrap();
    assert_eq!(seen.record.user, john.user);
    assert_eq!(seen.usage, Usage { last_used: later, claimed: true });
    assert_eq!(one.resolve(&mary.key, None, later), Err(Reason::SessionEnded));
    let told = Some(Ended { why: Ending::Admin, at: later });
    assert_eq!(one.ended(&mary.key, later), told);
    assert_eq!(one.len(), 1);
}

/// Takes up changes in this order; what lives then of the session "a", and its last use.
fn after(changes: &[Change]) -> Option<Usage> {
    let sessions = empty();
    for change in changes {
        sessions.take_up(change.clone(), at(5));
    }
    assert!(sessions.table().take_unwritten().ends.is_empty(), "it is stored already");
    sessions.see(&SessionKey::sample("a"), at(5)).map(|seen| seen.usage)
}

#[test]
fn changes_mean_the_same_late_and_twice() {
    let record = Arc::new(record("john", "a", at(0)));
    let used = |second| Change::Used(record.key, Usage { last_used: at(second), claimed: true });
    let end = End { key: record.key, ended: SIGNED_OFF, expires_at: record.expires_at };
    let (opened, ended) = (Change::Opened(Arc::clone(&record)), Change::Ended(end));
    let latest = Some(Usage { last_used: at(4), claimed: true });
    let never = Some(record.usage);
    for (changes, expected) in [
        (vec![&opened], never),
        (vec![&opened, &used(4), &used(2)], latest),
        (vec![&opened, &used(4), &opened], latest),
        (vec![&used(4), &opened], never),
        (vec![&opened, &ended], None),
        (vec![&ended, &opened], None),
        (vec![&opened, &ended, &used(4), &opened, &ended], None),
    ] {
        let changes: Vec<_> = changes.into_iter().cloned().collect();
        assert_eq!(after(&changes), expected, "{changes:?}");
    }
}

#[test]
fn a_session_that_another_core_ended_on_its_way_to_the_disk_does_not_live() {
    let sessions = empty();
    let new = record("john", "a", at(0));
    let end = End { key: new.key, ended: SIGNED_OFF, expires_at: new.expires_at };
    sessions.table().prepare(new.key, Arc::clone(&new.user)).unwrap();
    sessions.take_up(Change::Ended(end), at(1));
    assert_eq!(sessions.table().insert(Arc::new(new), at(1)).unwrap_err(), SIGNED_OFF);
    assert_eq!(sessions.len(), 0);
}

#[test]
fn the_bound_holds_for_what_others_open_and_is_told() {
    let sessions = empty();
    for (second, name) in [(0, "a"), (1, "b"), (2, "c")] {
        open(&sessions, "john", name, at(second));
        lives(&sessions, name, at(second));
    }
    let new = Arc::new(record("john", "d", at(9)));
    let evicted = sessions.take_up(Change::Opened(new), at(9));
    let evicted: Vec<_> = evicted.iter().map(|ended| (ended.record.key, ended.why)).collect();
    assert_eq!(evicted, [(SessionKey::sample("a"), Ending::Displaced)]);
    assert_eq!(sessions.len(), 3);
}

#[test]
fn what_others_open_shares_the_user_that_is_here() {
    let sessions = empty();
    open(&sessions, "john", "a", at(0));
    sessions.take_up(Change::Opened(Arc::new(record("john", "b", at(1)))), at(1));
    let user = |name| sessions.see(&SessionKey::sample(name), at(1)).unwrap().record.user.clone();
    assert!(Arc::ptr_eq(&user("a"), &user("b")));
}

#[tokio::test]
async fn a_store_that_tells_nothing_is_not_followed_for_long() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = storing::start(directory.path(), None).await;
    sessions.follow(|_| panic!("nothing ended")).await;
    sessions.follow(|_| panic!("nothing ended")).await;
}
