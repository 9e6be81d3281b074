//! Sign-on at the front by client certificate, with keys and certificates of OpenSSL.

use serde_json::json;

use crate::gateway::{Gateway, Setup};
use crate::lab::Pki;
use crate::lab::clients::curl_with;
use crate::lab::http::Response;

mod lasting;
mod sign_on;

/// The setup of a gateway that signs on by certificate, and by what else is offered.
pub(crate) fn setup(pki: &Pki, offered: &str, front: &str, core: &str) -> Setup {
    let front = format!(
        "server_ssl_key_file = \"{}\"\nclient_ssl_ca_file = \"{}\"\n{front}",
        pki.text("core.pem"),
        pki.text("ca.crt"),
    );
    Setup {
        front: front.leak(),
        sso: format!("mechanisms = [{offered}]").leak(),
        core: format!("sslkeys_path = \"{}\"\n{core}", pki.text("sslkeys")).leak(),
        ..Setup::default()
    }
}

#[track_caller]
pub(crate) fn gateway(pki: &Pki, offered: &str, front: &str, core: &str) -> Gateway {
    setup(pki, offered, front, core).start()
}

/// Only certificates, for these keys of the same names as their users.
#[track_caller]
fn of(pki: &Pki, users: &[&str]) -> Gateway {
    gateway(pki, "\"certificate\"", "", &entries(users))
}

pub(crate) fn entries(users: &[&str]) -> String {
    users.iter().map(|user| entry(user, &format!("act_as = [\"{user}\"]"))).collect()
}

fn entry(name: &str, lines: &str) -> String {
    format!("[[core.key]]\nfile = \"{name}-public.pem\"\n{lines}\n")
}

/// A path over TLS, with `NAME.pem` or without a certificate.
#[track_caller]
pub(crate) fn get(
    gateway: &Gateway,
    pki: &Pki,
    name: Option<&str>,
    path: &str,
    args: &[&str],
) -> Response {
    let (url, ca) = (gateway.doorward.https_url(path), pki.text("ca.crt"));
    let pem = name.map(|name| pki.text(&format!("{name}.pem")));
    let mut all = vec!["--cacert", &ca];
    if let Some(pem) = &pem {
        all.extend(["--cert", pem]);
    }
    all.extend(args);
    all.push(&url);
    // Weak keys are to be refused by the gateway, and not by the client itself.
    curl_with("OPENSSL_CONF", &pki.text("openssl.cnf"), &all)
}

/// The reason of a refusal, which the audit log has under the same reference.
#[track_caller]
fn refused(gateway: &Gateway, pki: &Pki, name: &str) -> String {
    let answer = get(gateway, pki, Some(name), "/", &[]);
    assert_eq!(answer.status, 403, "{name}: {answer:?}");
    let body = answer.json();
    let reference = body["reference"].as_str().unwrap().to_owned();
    let line = gateway.doorward.wait_audit("the refusal", |line| line["reference"] == reference);
    assert_eq!((&line["reason"], &line["mechanism"]), (&body["reason"], &json!("certificate")));
    body["reason"].as_str().unwrap().to_owned()
}
