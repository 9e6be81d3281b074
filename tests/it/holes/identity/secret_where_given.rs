//! A secret counts where it was given, and nowhere else.

use serde_json::{Value, json};

use crate::certificate;
use crate::gateway::{Gateway, Setup, cookie_of, web};
use crate::lab::http::{Raw, Response};
use crate::lab::ntlm::Login;
use crate::lab::{Doorward, Pki, curl, python, realm, servers};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

const OTHER: &str = "other.lab.example";

/// Whether a request with these cookies is somebody's.
fn whose(gateway: &Gateway, tls: bool, host: &str, cookies: &str) -> Option<String> {
    let answer = ask(gateway, tls, host, cookies);
    (answer.status == 200).then(|| answer.json()["user"]["login"].as_str().unwrap().to_owned())
}

fn ask(gateway: &Gateway, tls: bool, host: &str, cookies: &str) -> Response {
    let mut connection = match tls {
        true => Raw::connect_tls(gateway.doorward.https_port()),
        false => gateway.connect(),
    };
    connection.get(host, "/.doorward/whoami", &[("Cookie", cookies)])
}

fn sign_on_by_tls(gateway: &Gateway, user: &str) -> String {
    let answer = gateway.get_tls(Some(&realm().ticket(user)), "/", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    cookie_of(&answer)
}

#[test]
fn a_cookie_counts_at_its_own_scheme_and_host() {
    let gateway = Gateway::start();
    let plain = gateway.sign_on("alice");
    let tls = sign_on_by_tls(&gateway, "bob");
    let (plain_value, tls_value) =
        (plain.split_once('=').unwrap().1, tls.split_once('=').unwrap().1);
    assert_eq!(whose(&gateway, false, &web(), &plain).as_deref(), Some("alice"));
    assert_eq!(whose(&gateway, true, &web(), &tls).as_deref(), Some("bob"));
    // The host is the same one however it is written.
    let upper = format!("{}.:8080", web().to_uppercase());
    assert_eq!(whose(&gateway, false, &upper, &plain).as_deref(), Some("alice"));
    for value in [plain_value, tls_value] {
        for (by_tls, name) in [(false, "doorward"), (true, "__Host-doorward")] {
            let cookie = format!("{name}={value}");
            assert_eq!(whose(&gateway, by_tls, OTHER, &cookie), None, "{by_tls} {cookie}");
        }
    }
    let (down, up) = (format!("doorward={tls_value}"), format!("__Host-doorward={plain_value}"));
    assert_eq!(whose(&gateway, false, &web(), &down), None);
    assert_eq!(whose(&gateway, true, &web(), &up), None);
}

#[test]
fn a_foreign_cookie_hides_nothing_and_costs_no_question() {
    let core = Doorward::core("");
    let socket = core.core_socket();
    let front = Doorward::front(&format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\ncore = \"unix:{}\"\n\
         [sso]\nmechanisms = [\"negotiate\"]\n[sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nhost = \"*\"\n",
        socket.display(),
        realm().web_keytab.display(),
    ));
    let gateway = Gateway { doorward: front, app: servers::app() };
    let ours = gateway.sign_on_anywhere("alice");
    let stale = gateway.sign_on_anywhere("alice");
    let foreign = format!("doorward={}", "A".repeat(43));
    let dressed = format!("doorward={}.{}", "A".repeat(43), "A".repeat(16));
    for cookies in [
        format!("{foreign}; {ours}"),
        format!("{ours}; {foreign}; doorward=x"),
        format!("{dressed}; a=b; {foreign}; {ours}; doorward"),
    ] {
        assert_eq!(whose(&gateway, false, &web(), &cookies).as_deref(), Some("alice"), "{cookies}");
    }
    drop(core);
    let answer = ask(&gateway, false, &web(), &format!("{foreign}; {dressed}"));
    assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("no_credentials")));
    assert_eq!(ask(&gateway, false, &web(), &stale).status, 503, "this one is asked for");
}

#[test]
fn cookies_of_two_people_are_nobody_and_two_of_one_are_that_one() {
    let gateway = Gateway::start();
    let (alice, again, bob) =
        (gateway.sign_on("alice"), gateway.sign_on("alice"), gateway.sign_on("bob"));
    let both = format!("{alice}; {again}");
    assert_eq!(whose(&gateway, false, &web(), &both).as_deref(), Some("alice"));
    for cookies in [format!("{alice}; {bob}"), format!("{bob}; {again}")] {
        let answer = ask(&gateway, false, &web(), &cookies);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (401, Some("several_sessions"))
        );
    }
}

/// Opens a session at the core, as root.
fn open(gateway: &Gateway, wish: Value) -> Response {
    let socket = gateway.doorward.core_socket();
    let (socket, wish) = (socket.to_str().unwrap().to_owned(), wish.to_string());
    let args = ["--unix-socket", &socket, "--data", &wish, "http://core/v1/sessions"];
    curl(None, &args)
}

fn secret(gateway: &Gateway, wish: Value) -> String {
    let opened = open(gateway, wish).json();
    opened["session"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned()
}

#[test]
fn the_secret_of_an_api_session_is_no_cookie_unless_a_site_takes_it() {
    let more =
        "[[site]]\nhost = \"*\"\npath = \"/api\"\nmechanisms = [\"negotiate\", \"trusted\"]\n\
                upstream = \"http://127.0.0.1:1\"\n\
                [[site]]\nhost = \"*\"\npath = \"/local\"\nmechanisms = [\"unix\"]\n\
                upstream = \"http://127.0.0.1:1\"\n"
            .to_owned();
    let gateway = Setup {
        sso: "mechanisms = [\"negotiate\", \"unix\", \"trusted\", \"basic\"]",
        site: "mechanisms = [\"negotiate\", \"basic\"]",
        more,
        ..Setup::default()
    }
    .start();
    let trusted = secret(&gateway, json!({"user": "alice", "trusted": true}));
    let proof = json!({"mechanism": "negotiate", "principal": "alice@LAB.EXAMPLE",
        "acceptor_realm": "LAB.EXAMPLE", "channel_bound": false, "ends_at": null});
    let proven = secret(&gateway, json!({ "proof": proof }));
    let password =
        secret(&gateway, json!({"user": "alice", "password": realm().password("alice")}));
    let status = |path: &str, secret: &str| {
        let cookie = format!("doorward={secret}");
        let answer = gateway.connect().get(&web(), path, &[("Cookie", &cookie)]);
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let said = |status: u16, error: &str| (status, error.to_owned());
    // 502: let in, and nobody listens behind the site.
    assert_eq!(status("/api", &trusted), said(502, "application_down"));
    assert_eq!(status("/api", &proven), said(401, "wrong_mechanism"));
    assert_eq!(status("/api", &password), said(401, "wrong_mechanism"));
    assert_eq!(status("/local", &trusted), said(403, "wrong_mechanism"));
    assert_eq!(status("/local", &"A".repeat(43)), said(403, "session_ended"));
    assert_eq!(gateway.connect().get(&web(), "/local", &[]).json()["error"], "no_session");
    for secret in [&trusted, &proven, &password] {
        assert_eq!(status("/", secret), said(401, "no_credentials"));
    }
    // Signing off ends it, since this host takes it.
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: doorward={trusted}\r\nContent-Length: 0\r\n\r\n",
        web()
    ));
    assert_eq!(connection.response().status, 200);
    assert_eq!(status("/api", &trusted).0, 401);
}

#[test]
fn only_who_hands_in_proofs_proposes_secrets_and_never_one_that_is_in_use() {
    let gateway = Gateway::start();
    let wish = |secret: &str| {
        let proof = json!({"mechanism": "negotiate", "principal": "alice@LAB.EXAMPLE",
            "acceptor_realm": "LAB.EXAMPLE", "channel_bound": false, "ends_at": null});
        json!({ "proof": proof, "secret": secret })
    };
    let ours = "s".repeat(43);
    let opened = open(&gateway, wish(&ours));
    assert_eq!((opened.status, &opened.json()["session"]), (201, &json!(ours)));
    for (wish, words) in [
        (wish(&ours), "already"),
        (wish("short"), "43 characters"),
        (wish(&"%".repeat(43)), "43 characters"),
        (json!({"user": "alice", "trusted": true, "secret": "t".repeat(43)}), "allowed only with"),
        (json!({"user": "alice", "password": "x", "secret": "t".repeat(43)}), "allowed only with"),
    ] {
        let refused = open(&gateway, wish.clone());
        let said = refused.json();
        assert_eq!((refused.status, &said["error"]), (400, &json!("bad_request")), "{wish}");
        assert!(said["message"].as_str().unwrap().contains(words), "{said}");
    }
    let socket = gateway.doorward.core_socket();
    let wish = json!({"user": "nobody", "secret": "n".repeat(43)}).to_string();
    let refused = crate::lab::clients::curl_as(
        "nobody",
        &["--unix-socket", socket.to_str().unwrap(), "--data", &wish, "http://core/v1/sessions"],
    );
    assert_eq!((refused.status, &refused.json()["error"]), (403, &json!("no_access")));
}

#[test]
fn what_ntlm_proved_for_one_host_counts_at_no_other_on_the_same_connection() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let mut connection = gateway.connect_tls();
    assert_is(&Login::of("alice").get(&mut connection, "/", &[]), "alice");
    assert_eq!(reason(&connection.get(OTHER, "/", &[])), "no_credentials");
    assert_is(&connection.get(&web(), "/", &[]), "alice");
}

#[test]
fn what_a_certificate_proved_counts_for_each_host_by_itself() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway =
        certificate::gateway(&pki, "\"certificate\"", "", &certificate::entries(&["alice"]));
    let script = format!(
        "import http.client, ssl\n\
         context = ssl._create_unverified_context()\n\
         context.load_cert_chain('{}')\n\
         c = http.client.HTTPSConnection('127.0.0.1', {}, context=context)\n\
         for host in ['{here}', '{OTHER}'] * 2:\n\
         \x20   c.request('GET', '/', headers={{'Host': host}})\n\
         \x20   r = c.getresponse(); r.read(); print(r.status, end=' ')",
        pki.text("alice.pem"),
        gateway.doorward.https_port(),
        here = web(),
    );
    assert_eq!(python(&script, None).trim(), "200 200 200 200");
    let opened = gateway.doorward.audit();
    let opened = opened.iter().filter(|line| line["event"] == "sign_on").count();
    assert_eq!(opened, 2, "one session for each host, and each is kept");
}
