//! The pool with real helpers, good ones and ones that fail in every way.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::dialogue::squid::{self, Verdict};
use super::dialogue::{Unaskable, server_1};
use super::failure::status::Denial;
use super::health::NotReady;
use super::metrics::NtlmMetrics;
use super::testing::{BOTH, Client, PASSWORD, eventually, faulty, figure, pool, settings, sign_on};
use super::{Account, Attempt, Failure, LogonKey, Opened, Pool};
use crate::clock;
use crate::config::section::{HelperProtocol, Ntlm};
use crate::metrics::Metrics;

const SERVER_1: HelperProtocol = HelperProtocol::NtlmServer1;
const SQUID: HelperProtocol = HelperProtocol::Squid25Ntlmssp;

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_proves_the_account_and_the_wrong_one_nothing() {
    for protocol in BOTH {
        let (pool, metrics) = pool(&settings(protocol)).await;
        let alice = sign_on(&pool, "alice", PASSWORD).await.unwrap();
        assert_eq!(alice.account.to_string(), "LAB\\alice");
        let exported = matches!(alice.key.unwrap(), LogonKey::Exported(_));
        assert_eq!(exported, protocol == SQUID);
        let wrong = sign_on(&pool, "alice", "else").await.unwrap_err();
        let Failure::Denied { denial, .. } = &wrong else { panic!("{wrong:?}") };
        assert_eq!(*denial, Denial::WrongPassword);
        let jürgen = sign_on(&pool, "jürgen", PASSWORD).await.unwrap();
        assert_eq!(jürgen.account.user, "jürgen");
        for (verdict, count) in [("granted", 2), ("wrong_password", 1), ("no_such_user", 0)] {
            let name = format!("doorward_ntlm_verdicts_total{{verdict=\"{verdict}\"}}");
            assert_eq!(figure(&metrics, &name), count, "{verdict}");
        }
        assert_eq!(figure(&metrics, "doorward_ntlm_restarts_total"), 0);
    }
}

/// Where a fault strikes, what it is, and whether it may cost the attempt.
type Fault = (HelperProtocol, &'static str, &'static str, bool);

/// The line of a question by alice, before its end.
const ASKED: &str = "Username::\\ YWxpY2U=";

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_fails_costs_one_attempt_at_most() {
    let faults: [Fault; 22] = [
        (SERVER_1, ASKED, "exit 1", false),
        (SERVER_1, ASKED, "printf 'Authenticated: Y'; exit 1", false),
        (SERVER_1, ASKED, "printf 'Authenticated: Yes\\n'; exit 1", false),
        (SERVER_1, ASKED, "echo BH; sleep 60", true),
        (SERVER_1, ASKED, "echo 'Error: odd'; echo .; continue", false),
        (SERVER_1, ASKED, "echo 'AF LAB\\\\admin'; echo .; continue", false),
        (SERVER_1, ASKED, "head -c 70000 /dev/zero | tr '\\0' x; sleep 60", false),
        (SERVER_1, ASKED, "for i in {1..20}; do echo noise; done; sleep 60", false),
        (SERVER_1, ASKED, "sleep 60", true),
        (SERVER_1, ASKED, "for i in {1..2000}; do echo noise >&2; done", false),
        (SQUID, "YR*", "exit 1", false),
        (SQUID, "YR*", "echo BH out of order; continue", false),
        (SQUID, "YR*", "echo 'AF LAB\\\\admin'; continue", false),
        (SQUID, "YR*", "printf 'TT TlRM'; exit 1", false),
        (SQUID, "YR*", "head -c 70000 /dev/zero | tr '\\0' x; sleep 60", false),
        (SQUID, "YR*", "sleep 60", true),
        (SQUID, "YR*", "head -c 100000 /dev/zero >&2; echo >&2", false),
        (SQUID, "KK*", "exit 1", true),
        (SQUID, "KK*", "echo BH NT_STATUS_UNSUCCESSFUL; continue", true),
        (SQUID, "KK*", "echo TT TlRMTVNTUAACAAAA; continue", true),
        (SQUID, "KK*", "printf 'AF LAB\\\\admin'; exit 1", true),
        (SQUID, "GK", "exit 1", true),
    ];
    for (protocol, at, fault, may_cost) in faults {
        let directory = tempfile::tempdir().unwrap();
        let program = faulty(directory.path(), at, fault);
        let used = program.with_extension("used");
        let (pool, _) = pool(&Ntlm {
            ntlm_auth: program,
            helper_timeout: Duration::from_secs(1),
            ..settings(protocol)
        })
        .await;
        let first = sign_on(&pool, "alice", PASSWORD).await;
        match &first {
            Ok(verified) => assert_eq!(verified.account.to_string(), "LAB\\alice", "{fault}"),
            Err(failure) => assert!(may_cost, "{protocol:?} {at} {fault}: {failure:?}"),
        }
        assert!(used.exists() || at == "YR*", "{at} {fault} never came to be");
        for user in ["bob", "alice"] {
            let next = sign_on(&pool, user, PASSWORD).await;
            let account = next.map(|verified| verified.account.to_string());
            assert_eq!(account, Ok(format!("LAB\\{user}")), "{protocol:?} {at} {fault}");
            let wrong = sign_on(&pool, user, "else").await;
            assert!(matches!(wrong, Err(Failure::Denied { .. })), "{fault}: {wrong:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_talks_unasked_is_replaced_before_the_next_question() {
    let directory = tempfile::tempdir().unwrap();
    // After the answer to alice's question: an answer for whoever asks next.
    let yes = "Authenticated: Yes\\nUser-Session-Key: 000102030405060708090A0B0C0D0E0F\\n.\\n";
    let late = format!("{{ (sleep 0.3; printf '{yes}') & }}");
    let program = faulty(directory.path(), ASKED, &late);
    let settings = Ntlm { ntlm_auth: program, helpers: 1, ..settings(SERVER_1) };
    let (pool, metrics) = pool(&settings).await;
    sign_on(&pool, "alice", PASSWORD).await.unwrap();
    // bob's password is wrong: an answer too many would let him in.
    let restarts = || figure(&metrics, "doorward_ntlm_restarts_total");
    let begun = clock::instant();
    while restarts() == 0 && begun.elapsed() < Duration::from_secs(10) {
        let bob = sign_on(&pool, "bob", "else").await;
        assert!(matches!(bob, Err(Failure::Denied { .. })), "{bob:?}");
    }
    assert_eq!(restarts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_abandoned_exchanges_do_not_keep_the_next_user_waiting() {
    let (pool, metrics) = pool(&Ntlm { helpers: 4, ..settings(SQUID) }).await;
    let pool = Arc::new(pool);
    let negotiate = Client::new("mallory", "LAB", "x").negotiate();
    let mut abandoned = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (pool, negotiate) = (Arc::clone(&pool), negotiate.clone());
        abandoned.spawn(async move {
            let opened = pool.open(&negotiate).await;
            // Kept, as a client keeps its connection.
            std::future::pending::<()>().await;
            drop(opened);
        });
    }
    let reserved = || figure(&metrics, "doorward_ntlm_helpers{state=\"reserved\"}");
    let waiting = || figure(&metrics, "doorward_ntlm_waiting");
    eventually("all helpers are kept by those who never answer", || {
        reserved() == 4 && waiting() > 100
    })
    .await;
    let begun = clock::instant();
    let alice = sign_on(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(alice.account.user, "alice");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_helper_was_given_away_is_told_so() {
    let (pool, _) = pool(&Ntlm { helpers: 1, ..settings(SQUID) }).await;
    let (mut slow, mut other) =
        (Client::new("slow", "LAB", PASSWORD), Client::new("other", "LAB", PASSWORD));
    let Ok(Opened::Challenge { message, reservation }) = pool.open(&slow.negotiate()).await else {
        panic!("no challenge")
    };
    // Waits until the first one has had its time.
    let second = pool.open(&other.negotiate()).await.unwrap();
    let authenticate = slow.authenticate(&message);
    let late = pool.verify(Attempt::Message { reservation, authenticate }).await;
    assert_eq!(late.unwrap_err(), Failure::GivenUp);
    let Opened::Challenge { message, reservation } = second else { panic!("{second:?}") };
    let authenticate = other.authenticate(&message);
    let verified = pool.verify(Attempt::Message { reservation, authenticate }).await.unwrap();
    assert_eq!(Some(verified.account), Account::new("LAB", "other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_longer_than_an_exchange_may_is_told_so() {
    let short = Ntlm { exchange_timeout: Duration::from_millis(20), ..settings(SQUID) };
    let (pool, metrics) = pool(&short).await;
    let mut slow = Client::new("slow", "LAB", PASSWORD);
    let Ok(Opened::Challenge { message, reservation }) = pool.open(&slow.negotiate()).await else {
        panic!("no challenge")
    };
    let authenticate = slow.authenticate(&message);
    clock::pause(Duration::from_millis(30)).await;
    let late = pool.verify(Attempt::Message { reservation, authenticate }).await;
    assert_eq!(late.unwrap_err(), Failure::GivenUp);
    assert_eq!(figure(&metrics, "doorward_ntlm_helpers{state=\"idle\"}"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_before_a_reload_touches_nothing_of_after_it() {
    let (before, _) = pool(&settings(SQUID)).await;
    let (after, metrics) = pool(&settings(SQUID)).await;
    let mut clients = [(); 2].map(|()| Client::new("alice", "LAB", PASSWORD));
    let mut opened = Vec::new();
    for (pool, client) in [&before, &after].into_iter().zip(&mut clients) {
        let Ok(Opened::Challenge { message, reservation }) = pool.open(&client.negotiate()).await
        else {
            panic!("no challenge")
        };
        opened.push(Attempt::Message { reservation, authenticate: client.authenticate(&message) });
    }
    drop(before);
    let [stale, fresh] = opened.try_into().unwrap();
    assert_eq!(after.verify(stale).await.unwrap_err(), Failure::GivenUp);
    let other_protocol = Attempt::Response(Client::new("alice", "LAB", PASSWORD).question());
    assert_eq!(after.verify(other_protocol).await.unwrap_err(), Failure::GivenUp);
    assert!(after.verify(fresh).await.is_ok());
    assert_eq!(figure(&metrics, "doorward_ntlm_restarts_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_dropped_frees_its_helper() {
    let (pool, metrics) = pool(&Ntlm { helpers: 1, ..settings(SQUID) }).await;
    let negotiate = Client::new("gone", "LAB", "x").negotiate();
    drop(pool.open(&negotiate).await.unwrap());
    assert_eq!(figure(&metrics, "doorward_ntlm_helpers{state=\"idle\"}"), 1);
    let again = clock::instant();
    drop(pool.open(&negotiate).await.unwrap());
    assert!(again.elapsed() < Duration::from_millis(100), "{:?}", again.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_asked_never_reaches_a_helper() {
    let (pool, metrics) = pool(&settings(SQUID)).await;
    let odd = pool.open(b"YR\nKK").await.map(drop);
    assert_eq!(odd, Err(Failure::Unaskable(Unaskable::Message)));
    assert_eq!(figure(&metrics, "doorward_ntlm_restarts_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_told_by_its_path() {
    let metrics = Arc::new(NtlmMetrics::register(&Metrics::default()).unwrap());
    let absent = Ntlm { ntlm_auth: "/nonexistent/ntlm_auth".into(), ..settings(SQUID) };
    let pool = Pool::start(&absent, true, metrics, CancellationToken::new());
    eventually("the failure is known", || pool.ready() != Err(NotReady::Starting)).await;
    let sentence = pool.ready().unwrap_err().to_string();
    assert!(sentence.contains("/nonexistent/ntlm_auth cannot be started"), "{sentence}");
    let negotiate = Client::new("alice", "LAB", "x").negotiate();
    let failure = pool.open(&negotiate).await.map(drop).unwrap_err();
    assert_eq!(failure.label(), "helper");
}

// A thread for each client, which is another process and waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 22)]
async fn many_users_at_once_are_each_themselves() {
    for protocol in BOTH {
        let patient = Ntlm { helper_timeout: Duration::from_secs(10), ..settings(protocol) };
        let (pool, metrics) = pool(&patient).await;
        let pool = Arc::new(pool);
        let mut users = tokio::task::JoinSet::new();
        for number in 0..20 {
            let pool = Arc::clone(&pool);
            users.spawn(async move {
                let user = format!("user{number}");
                let verified = sign_on(&pool, &user, PASSWORD).await;
                (user, verified.map(|verified| verified.account.user))
            });
        }
        for (user, verified) in users.join_all().await {
            // A client that is slower than the others may have to begin again.
            let fair = verified == Ok(user.clone()) || verified == Err(Failure::GivenUp);
            assert!(fair, "{user}: {verified:?}");
        }
        assert_eq!(figure(&metrics, "doorward_ntlm_restarts_total"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_starves_while_more_ask_than_there_are_helpers() {
    let (pool, metrics) = pool(&settings(SERVER_1)).await;
    let pool = Arc::new(pool);
    let question = Client::new("alice", "LAB", PASSWORD).question();
    let mut clients = tokio::task::JoinSet::new();
    let begun = clock::instant();
    for _ in 0..20 {
        let (pool, question) = (Arc::clone(&pool), question.clone());
        clients.spawn(async move {
            // Longer than anybody may wait.
            while begun.elapsed() < Duration::from_secs(3) {
                pool.verify(Attempt::Response(question.clone())).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    for outcome in clients.join_all().await {
        assert_eq!(outcome, Ok(()));
    }
    assert_eq!(figure(&metrics, "doorward_ntlm_verdicts_total{verdict=\"busy\"}"), 0);
}

proptest::proptest! {
    #[test]
    fn no_noise_is_taken_for_a_grant(
        lines in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..64), 0..5),
    ) {
        for line in &lines {
            if let Ok(Verdict::Granted { name }) = squid::verdict(line) {
                proptest::prop_assert_eq!([b"AF ", name.as_bytes()].concat(), line.clone());
            }
            let _ = (squid::features(line), squid::opening(line), squid::key(line));
        }
        let granted = matches!(server_1::answer(&lines), Ok(server_1::Answer::Yes { .. }));
        proptest::prop_assert!(!granted);
    }

    #[test]
    fn an_answer_that_was_damaged_is_the_answer_or_none(at in 0_usize..36, with: u8) {
        let mut key = *b"User-Session-Key: 000102030405060708090A0B0C0D0E0F";
        key[14 + at] = with;
        let lines = [&b"Authenticated: Yes"[..], &key];
        if let Ok(answer) = server_1::answer(&lines) {
            proptest::prop_assert!(key[18..].iter().all(u8::is_ascii_hexdigit), "{:?}", answer);
            proptest::prop_assert_eq!(&key[..18], b"User-Session-Key: ");
        }
    }
}
