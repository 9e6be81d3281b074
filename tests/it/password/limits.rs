//! Floods of wrong passwords: what is borne, and who still gets in.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use crate::lab::{Doorward, realm};
use crate::password::{Core, config};

/// Wrong passwords, as a front tells of them on many connections; how often each answer came.
fn flood(
    socket: &Path,
    attempts: u32,
    attempt: impl Fn(u32) -> Value + Sync,
) -> BTreeMap<u16, u32> {
    const CONNECTIONS: u32 = 32;
    let one = |first: u32| {
        let mut core = Core::connect(socket);
        let mut answers = BTreeMap::new();
        for number in (first..attempts).step_by(CONNECTIONS as usize) {
            *answers.entry(core.open(&attempt(number)).0).or_insert(0) += 1;
        }
        answers
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..CONNECTIONS).map(|first| scope.spawn(move || one(first))).collect();
        let mut all = BTreeMap::new();
        for answers in threads.into_iter().map(|thread| thread.join().unwrap()) {
            for (status, count) in answers {
                *all.entry(status).or_insert(0) += count;
            }
        }
        all
    })
}

fn attempt(user: &str, password: &str, client: impl ToString) -> Value {
    json!({"user": user, "password": password, "client": client.to_string()})
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + number)
}

/// Resident memory of a process, in kilobytes.
fn memory(core: &Doorward) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", core.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_addresses_against_one_account_are_stopped_and_its_user_gets_in_from_where_he_is_known() {
    let password = realm().add_user("target");
    let core = Doorward::core(&config(""));
    let socket = core.core_socket();
    let mut one = Core::connect(&socket);
    let home = "2001:db8:7:7::1";
    assert_eq!(one.open(&attempt("target", &password, home)).0, 201);
    let before = memory(&core);
    // Every spelling is one account.
    let names = ["target", "Target", "TARGET@LAB.EXAMPLE", "target@lab.example"];
    let answers = flood(&socket, 10_000, |number| {
        attempt(names[number as usize % names.len()], "wrong", address(number))
    });
    let looked_at = answers[&401];
    assert_eq!(looked_at + answers[&429], 10_000, "{answers:?}");
    assert!((10..=12).contains(&looked_at), "{answers:?}");
    let grown = memory(&core).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KB");
    // From another address of his network he gets in; from a strange one he has to wait.
    assert_eq!(one.open(&attempt("target", &password, "2001:db8:7:7::2")).0, 201);
    let (status, said) = one.open(&attempt("target", &password, "198.51.100.1"));
    assert_eq!((status, &said["error"]), (429, &json!("too_many_attempts")), "{said}");
    // Nobody else is concerned.
    assert_eq!(one.open(&attempt("alice", realm().password("alice"), "198.51.100.1")).0, 201);
    // His own address is no way around the limit either.
    let answers = flood(&socket, 1_000, |_| attempt("target", "wrong", home));
    assert!((10..=12).contains(&answers[&401]), "{answers:?}");
}

#[test]
fn one_address_against_many_accounts_is_stopped_and_others_get_in() {
    let core = Doorward::core(&config(""));
    let socket = core.core_socket();
    let mut one = Core::connect(&socket);
    let bad = "203.0.113.9";
    assert_eq!(one.open(&attempt("bob", realm().password("bob"), bad)).0, 201);
    let before = memory(&core);
    let answers = flood(&socket, 10_000, |number| attempt(&format!("user{number}"), "wrong", bad));
    assert_eq!(answers[&401] + answers[&429], 10_000, "{answers:?}");
    assert!((50..=60).contains(&answers[&401]), "{answers:?}");
    let grown = memory(&core).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KB");
    let alice = realm().password("alice");
    let (status, said) = one.open(&attempt("alice", alice, bad));
    assert_eq!((status, &said["reason"]), (429, &json!("too_many_attempts")), "{said}");
    assert_eq!(one.open(&attempt("alice", alice, "203.0.113.10")).0, 201);
    // Who has signed on from there before is not locked out by a neighbour.
    assert_eq!(one.open(&attempt("bob", realm().password("bob"), bad)).0, 201);
}

#[test]
fn a_local_programs_word_on_addresses_is_nobodys() {
    let core = Doorward::core(&config("password_attempts_per_address = 3"));
    let socket = core.core_socket();
    let statuses: Vec<u16> = (0..5)
        .map(|number| {
            let body = attempt(&format!("user{number}"), "wrong", address(number)).to_string();
            let args = ["--unix-socket", socket.to_str().unwrap(), "--data", &body];
            let args = [&args[..], &["http://core/v1/sessions"]].concat();
            crate::lab::clients::curl_as("nobody", &args).status
        })
        .collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
}
