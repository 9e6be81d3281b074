//! After a crash no session that was granted is lost, and none that was ended comes back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::gateway::{Gateway, cookie_of, web};
use crate::lab::http::Raw;
use crate::lab::{LIMIT, realm, wait_until};

#[test]
fn kill_9_in_a_load_of_sign_ons_loses_no_session_and_revives_none() {
    let mut gateway = Gateway::start();
    let tokens = realm().ticket("alice").tokens(&web(), 3_000);
    let port = gateway.doorward.http_port();
    let (given, ended, next) =
        (Mutex::new(Vec::new()), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (given, ended, next, tokens) = (&given, &ended, &next, &tokens);
            scope.spawn(move || {
                while let Some(token) = tokens.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(cookie) = try_sign_on(port, token) else { return };
                    if worker == 0 && try_log_out(port, &cookie) == Some(true) {
                        ended.lock().unwrap().push(cookie);
                    } else if worker != 0 {
                        given.lock().unwrap().push(cookie);
                    }
                }
            });
        }
        wait_until(LIMIT, "a load of sign-ons", || {
            (given.lock().unwrap().len() > 200 && ended.lock().unwrap().len() > 20).then_some(())
        });
        gateway.doorward.kill9();
    });
    let sent = next.load(Ordering::Relaxed);
    assert!(sent < tokens.len(), "the load was over before the crash");
    gateway.doorward.restart();
    let (given, ended) = (given.into_inner().unwrap(), ended.into_inner().unwrap());
    for cookie in &given {
        assert_eq!(gateway.whoami(cookie).status, 200, "a session of {} was lost", given.len());
    }
    for cookie in &ended {
        assert_eq!(gateway.whoami(cookie).status, 401, "a session of {} came back", ended.len());
    }
}

#[test]
fn a_logout_that_was_answered_outlives_a_kill_9_right_after_it() {
    let mut gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    assert_eq!(gateway.whoami(&cookie).status, 200);
    // With nothing else to write, only the logout itself can have it written.
    assert_eq!(try_log_out(gateway.doorward.http_port(), &cookie), Some(true));
    gateway.doorward.kill9();
    gateway.doorward.restart();
    assert_eq!(gateway.whoami(&cookie).status, 401);
}

/// `None` once the gateway is gone.
fn try_sign_on(port: u16, token: &str) -> Option<String> {
    let request = format!(
        "GET /.doorward/whoami HTTP/1.1\r\nHost: {}\r\nAuthorization: Negotiate {token}\r\n\
         Connection: close\r\n\r\n",
        web()
    );
    let answer = Raw::try_exchange(port, &request)?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Some(cookie_of(&answer))
}

fn try_log_out(port: u16, cookie: &str) -> Option<bool> {
    let request = format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        web()
    );
    Some(Raw::try_exchange(port, &request)?.status == 200)
}
