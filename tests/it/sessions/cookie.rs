//! Sessions: the cookie, its end, and its limits.

use std::time::Duration;

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::{Doorward, LIMIT, realm, wait_until};

#[test]
fn the_cookie_stands_for_the_ticket_until_logging_out() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let answer = gateway.connect().get(&web(), "/", &[("Cookie", &cookie)]);
    assert_eq!(answer.status, 200);
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    assert_eq!(answer.header("set-cookie"), None);
    log_out(&gateway, &cookie);
    let answer = gateway.connect().get(&web(), "/", &[("Cookie", &cookie)]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "session_ended");
}

fn log_out(gateway: &Gateway, cookie: &str) {
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nContent-Length: 0\r\n\r\n",
        web()
    ));
    let answer = connection.response();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[test]
fn logging_out_takes_a_post_that_no_other_site_made_the_browser_send() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let get = gateway.connect().get(&web(), "/.doorward/logout", &[("Cookie", &cookie)]);
    assert_eq!(get.status, 405);
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\
         Origin: https://evil.example\r\nContent-Length: 0\r\n\r\n",
        web()
    ));
    assert_eq!(connection.response().status, 403);
    for site in ["cross-site", "same-site"] {
        let mut connection = gateway.connect();
        connection.send(format!(
            "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\
             Sec-Fetch-Site: {site}\r\nContent-Length: 0\r\n\r\n",
            web()
        ));
        assert_eq!(connection.response().status, 403, "{site}");
    }
    assert_eq!(gateway.whoami(&cookie).status, 200);
}

#[test]
fn every_sign_on_gives_a_new_cookie_of_256_bits_and_a_check() {
    let gateway = Gateway::start();
    let one = gateway.sign_on("alice");
    let other = gateway.sign_on("alice");
    assert_ne!(one, other);
    let (secret, check) = one.split_once('=').unwrap().1.split_once('.').unwrap();
    assert_eq!((secret.len(), check.len()), (43, 16));
}

#[test]
fn a_cookie_that_is_altered_cut_or_planted_is_worth_nothing() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let (name, id) = cookie.split_once('=').unwrap();
    let other_first = if id.starts_with('A') { 'B' } else { 'A' };
    let flipped = format!("{other_first}{}", &id[1..]);
    for forged in
        [flipped.as_str(), &id[1..], &format!("{id}A"), "", "../../v1/whoami", &"A".repeat(43)]
    {
        assert_eq!(gateway.whoami(&format!("{name}={forged}")).status, 401, "{forged}");
    }
    let beside = format!("{name}={}; {cookie}; {name}={}", "A".repeat(43), "A".repeat(60));
    assert_eq!(gateway.whoami(&beside).status, 200, "a planted cookie hides nothing");
    assert_eq!(gateway.whoami(&cookie).status, 200);
}

#[test]
fn the_cookie_of_a_session_never_reaches_the_application() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let sent = format!("before=1; {cookie}; after=2");
    let answer = gateway.connect().get(&web(), "/", &[("Cookie", &sent)]);
    let seen = reached(&answer, "Cookie").join("; ");
    assert!(seen.contains("before=1") && seen.contains("after=2"), "{seen}");
    assert!(!seen.contains("doorward"), "{seen}");
}

#[test]
fn the_session_ends_with_the_ticket() {
    let gateway = Gateway::start();
    let short = realm().fresh_ticket("alice", &["-l", "10m"]).unwrap();
    let answer = gateway.get(Some(&short), "/.doorward/whoami", &[]).json();
    let listed = std::process::Command::new("klist")
        .envs(short.env())
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // Valid starting, expires: month/day/year hour:minute:second each.
    let line =
        listed.lines().find(|line| line.contains("HTTP/web")).unwrap_or_else(|| panic!("{listed}"));
    let ends = line.split_whitespace().nth(3).unwrap();
    assert!(answer["expires_at"].as_str().unwrap().contains(ends), "{answer} {line}");
}

#[test]
fn a_session_that_is_not_used_ends_after_its_timeout() {
    let gateway = Setup {
        core: "session_timeout = \"10s\"\nsession_unclaimed = \"10s\"",
        ..Setup::default()
    }
    .start();
    let cookie = gateway.sign_on("alice");
    assert_eq!(gateway.whoami(&cookie).status, 200);
    let claimed = gateway.sign_on("alice");
    wait_until(LIMIT, "the first session's end", || {
        // The second one is used all the time, and stays.
        assert_eq!(gateway.whoami(&claimed).status, 200);
        let sessions = live_sessions(&gateway);
        (sessions == 1).then_some(())
    });
    assert_eq!(gateway.whoami(&cookie).status, 401);
}

fn live_sessions(gateway: &Gateway) -> u64 {
    gateway.metric("doorward_sessions ") as u64
}

#[test]
fn a_session_under_ip_check_is_worth_nothing_from_another_address() {
    let gateway = Setup {
        core: "session_ip_check = true",
        front: "trusted_proxies = [\"127.0.0.0/8\"]",
        ..Setup::default()
    }
    .start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    let from = |address: &'static str| ("X-Forwarded-For", address);
    let answer =
        gateway.connect().get(&web(), "/", &[("Authorization", &value), from("192.0.2.1")]);
    let cookie = cookie_of(&answer);
    let ask = |address| {
        gateway.connect().get(&web(), "/.doorward/whoami", &[("Cookie", &cookie), from(address)])
    };
    assert_eq!(ask("192.0.2.1").status, 200);
    let answer = ask("192.0.2.2");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "address_changed");
    assert_eq!(ask("192.0.2.1").status, 200);
}

#[test]
fn a_session_that_ends_at_one_front_is_dead_at_once_at_the_other() {
    let gateway = Gateway::start();
    let core = gateway.doorward.core_socket();
    let second = Doorward::front(&format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\ncore = \"unix:{}\"\n\
         [sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1:{}\"\n",
        core.display(),
        realm().web_keytab.display(),
        gateway.app.port
    ));
    let other = Gateway { doorward: second, app: crate::lab::servers::app() };
    let cookie = gateway.sign_on("alice");
    assert_eq!(other.whoami(&cookie).status, 200);
    log_out(&gateway, &cookie);
    let began = doorward::clock::instant();
    wait_until(LIMIT, "the end at the other front", || {
        (other.whoami(&cookie).status == 401).then_some(())
    });
    // Later it would have asked again by itself.
    assert!(began.elapsed() < Duration::from_secs(4), "the event did not come");
}
