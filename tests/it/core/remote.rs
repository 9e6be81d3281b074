//! A front and its core on different hosts: TLS between them, with a key of role front.

use crate::gateway::{cookie_of, web};
use crate::lab::http::Raw;
use crate::lab::{Doorward, LIMIT, Pki, realm, servers, wait_until};

fn core_config(pki: &Pki) -> String {
    pki.core(&format!(
        "[[core.key]]\nfile = \"gate-public.pem\"\nrole = \"front\"\n[[core.realm]]\nrealm = \"{}\"\n",
        realm().name
    ))
}

fn front_config(pki: &Pki, core: &Doorward, host: &str, app: u16) -> String {
    format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_status = \"127.0.0.1:0\"\n\
         core = \"https://{host}:{}\"\nsslkey_file = \"{}\"\nserver_ssl_ca_file = \"{}\"\n\
         [sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nupstream = \"http://127.0.0.1:{app}\"\n",
        core.core_port(),
        pki.text("gate.pem"),
        pki.text("ca.crt"),
        realm().web_keytab.display(),
    )
}

fn ready(front: &Doorward) -> (u16, String) {
    let mut connection = Raw::connect(front.status_port());
    let answer = connection.get("localhost", "/ready", &[("Connection", "close")]);
    (answer.status, answer.text())
}

#[test]
fn a_front_signs_people_on_at_a_core_on_tls_until_its_key_is_taken_out() {
    let pki = Pki::new();
    pki.client("gate");
    let core = Doorward::core(&core_config(&pki));
    let app = servers::app();
    let front = Doorward::front(&front_config(&pki, &core, &realm().host("web"), app.port));
    wait_until(LIMIT, "the front is ready", || (ready(&front).0 == 200).then_some(()));

    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    let answer = Raw::connect(front.http_port()).get(&web(), "/", &[("Authorization", &value)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = cookie_of(&answer);
    let visit = || Raw::connect(front.http_port()).get(&web(), "/", &[("Cookie", &cookie)]).status;
    assert_eq!(visit(), 200);
    let line = core.wait_audit("the sign-on", |line| line["event"] == "sign_on");
    assert_eq!(line["key"], "gate-public.pem");

    // The event stream ends with the key, and grants with the event stream.
    pki.unlist("gate");
    front.wait_log("the end of the stream", |line| {
        line.to_string().contains("the core's event stream broke off")
    });
    wait_until(LIMIT, "the front is cut off", || (ready(&front).0 == 503).then_some(()));
    let said = ready(&front).1;
    assert!(said.contains("removed from the core's sslkeys_path"), "{said}");
    wait_until(LIMIT, "grants are gone", || (visit() != 200).then_some(()));
    pki.list("gate");
    wait_until(LIMIT, "the front is ready again", || (ready(&front).0 == 200).then_some(()));
    assert_eq!(visit(), 200, "the session lived on at the core");
}

#[test]
fn a_front_trusts_only_the_core_that_its_authority_vouches_for() {
    let pki = Pki::new();
    pki.client("gate");
    let core = Doorward::core(&core_config(&pki));
    // Loopback has this name too, but the certificate does not.
    let front = Doorward::front(&front_config(&pki, &core, "localhost", 1));
    let (status, said) = ready(&front);
    assert_eq!(status, 503);
    assert!(said.contains("is not trusted"), "{said}");
    let told = core.audit();
    assert_eq!(told.len(), 0, "{told:?}");
}

#[test]
fn a_front_whose_key_cannot_be_read_does_not_start() {
    let config = "[front]\nlisten = [\"127.0.0.1:0\"]\ncore = \"https://core.example\"\n\
                  sslkey_file = \"/nonexistent/gate.pem\"\n";
    let output = Doorward::run(&["front"], config);
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(said.contains("/nonexistent/gate.pem"), "{said}");
}
