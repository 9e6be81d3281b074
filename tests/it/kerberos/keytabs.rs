//! The keytab: rotated, wrong, missing. Each fault is named in words that say what to fix.

use std::path::Path;

use crate::gateway::{Gateway, Setup};
use crate::lab::http::Response;
use crate::lab::{LIMIT, realm, temp_dir, wait_until};

fn with_keytab(keytab: &Path) -> Gateway {
    Setup { keytab: Some(keytab.to_owned()), ..Setup::default() }.start()
}

fn sign_on(gateway: &Gateway, host: &str) -> Response {
    let ticket = realm().fresh_ticket("alice", &[]).unwrap();
    let token = ticket.tokens(host, 1).remove(0);
    gateway.send_token(&token)
}

/// The log line of a refusal, in words.
fn logged(gateway: &Gateway, reason: &str) -> String {
    gateway.doorward.wait_log(reason, |line| line["reason"] == reason).to_string()
}

#[test]
fn a_rotated_keytab_is_used_without_a_restart() {
    let service = realm().add_service("turning");
    let dir = temp_dir("keytab-");
    let keytab = dir.path().join("web.keytab");
    std::fs::copy(&service.keytab, &keytab).unwrap();
    let gateway = with_keytab(&keytab);
    assert_eq!(sign_on(&gateway, &service.host).status, 200);

    let fresh = realm().rotate_key(&service);
    let refused = sign_on(&gateway, &service.host);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"], "key_version");
    let said = logged(&gateway, "key_version");
    assert!(said.contains("kvno 4 not found") && said.contains("has kvno 3"), "{said}");

    std::fs::copy(&fresh, dir.path().join("new")).unwrap();
    std::fs::rename(dir.path().join("new"), &keytab).unwrap();
    assert_eq!(sign_on(&gateway, &service.host).status, 200);
}

#[test]
fn a_keytab_that_appears_later_is_used_without_a_restart() {
    let dir = temp_dir("keytab-");
    let keytab = dir.path().join("web.keytab");
    let gateway = with_keytab(&keytab);
    let refused = sign_on(&gateway, &realm().host("web"));
    assert_eq!(refused.json()["error"], "keytab_unreadable");
    let said = logged(&gateway, "keytab_unreadable");
    assert!(said.contains(keytab.to_str().unwrap()), "{said}");
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.json()["keytab"].as_str().unwrap().contains(keytab.to_str().unwrap()));

    std::fs::copy(&realm().web_keytab, &keytab).unwrap();
    assert_eq!(sign_on(&gateway, &realm().host("web")).status, 200);
    assert_eq!(gateway.status("/ready").status, 200);
}

#[test]
fn a_ticket_for_a_service_that_is_not_in_the_keytab_is_named() {
    let gateway = with_keytab(&realm().web_keytab);
    let refused = sign_on(&gateway, &realm().host("other"));
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"], "key_missing");
    let said = logged(&gateway, "key_missing");
    assert!(said.contains("HTTP/other.lab.example"), "{said}");
}

#[test]
fn a_keytab_without_the_tickets_encryption_type_is_named() {
    let service = realm().add_service("oldkeys");
    let dir = temp_dir("keytab-");
    let keytab = dir.path().join("rc4.keytab");
    let rc4_hmac = 23;
    std::fs::write(&keytab, one_key(&service.host, 3, rc4_hmac)).unwrap();
    let gateway = with_keytab(&keytab);
    let refused = sign_on(&gateway, &service.host);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"], "key_encryption");
    let said = logged(&gateway, "key_encryption");
    assert!(said.contains("aes256") && said.contains("arcfour"), "{said}");
}

/// A keytab (MIT's format 0x0502) with one key of HTTP/host.
fn one_key(host: &str, kvno: u8, enctype: u16) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let name_type_principal = 1_u32.to_be_bytes();
    let timestamp = 0_u32.to_be_bytes();
    let entry = [
        &2_u16.to_be_bytes(),
        text(&realm().name).as_slice(),
        &text("HTTP"),
        &text(host),
        &name_type_principal,
        &timestamp,
        &[kvno],
        &enctype.to_be_bytes(),
        &16_u16.to_be_bytes(),
        &[0x5a; 16],
    ]
    .concat();
    [&[5, 2], (entry.len() as u32).to_be_bytes().as_slice(), &entry].concat()
}

#[test]
fn a_damaged_keytab_is_named_and_mended_by_replacing_it() {
    let dir = temp_dir("keytab-");
    let keytab = dir.path().join("web.keytab");
    std::fs::write(&keytab, b"not a keytab").unwrap();
    let gateway = with_keytab(&keytab);
    let refused = sign_on(&gateway, &realm().host("web"));
    assert!([401, 503].contains(&refused.status), "{refused:?}");
    assert_eq!(gateway.status("/ready").status, 503);
    std::fs::copy(&realm().web_keytab, &keytab).unwrap();
    wait_until(LIMIT, "a sign-on", || {
        (sign_on(&gateway, &realm().host("web")).status == 200).then_some(())
    });
}
