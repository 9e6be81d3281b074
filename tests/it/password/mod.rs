//! Passwords, at the core's own door and by HTTP Basic authentication.

mod limits;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use doorward::clock;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::core::tls;
use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::{Doorward, Kdc, Pki, curl, python, realm};

/// A kept connection to the core's socket.
pub(crate) struct Core(BufReader<UnixStream>);

impl Core {
    #[track_caller]
    pub(crate) fn connect(socket: &Path) -> Core {
        Core(BufReader::new(UnixStream::connect(socket).unwrap()))
    }

    /// `POST /v1/sessions`
    #[track_caller]
    pub(crate) fn open(&mut self, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let head = format!(
            "POST /v1/sessions HTTP/1.1\r\nHost: core\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the core hung up");
            match line.trim_end().to_ascii_lowercase().split_once(' ') {
                Some(("http/1.1", rest)) => status = rest[..3].parse().unwrap(),
                Some(("content-length:", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// The same with a name and a password.
    #[track_caller]
    pub(crate) fn password(&mut self, user: &str, password: &str) -> (u16, Value) {
        self.open(&json!({"user": user, "password": password}))
    }
}

/// A core of the lab's domain.
pub(crate) fn config(core: &str) -> String {
    config_with(&realm().web_keytab, core)
}

fn config_with(keytab: &Path, core: &str) -> String {
    format!(
        "[sso.kerberos]\nkeytab = \"{}\"\n[core]\nlisten = \"unix:{{dir}}/core.sock\"\n{core}\n",
        keytab.display()
    )
}

const LISTED: &str = "[[core.realm]]\nrealm = \"LAB.EXAMPLE\"\ndomain = \"LAB\"\n";

#[test]
fn the_right_password_signs_on_however_the_name_is_spelt() {
    let core = Doorward::core(&config(LISTED));
    let mut socket = Core::connect(&core.core_socket());
    let password = realm().password("alice");
    for name in
        ["alice", "Alice", "alice@LAB.EXAMPLE", "ALICE@lab.example", r"LAB\alice", r"lab\Alice"]
    {
        let (status, session) = socket.password(name, password);
        assert_eq!(
            (status, &session["user"]["login"]),
            (201, &json!("alice")),
            "{name}: {session}"
        );
        assert_eq!(session["mechanism"], "password");
    }
    let (status, session) = socket.password("jürgen", realm().password("jürgen"));
    assert_eq!((status, &session["user"]["login"]), (201, &json!("jürgen")), "{session}");
    let line = core.wait_audit("alice", |line| line["login"] == "alice");
    assert_eq!((&line["outcome"], &line["mechanism"]), (&json!("granted"), &json!("password")));
    let everything = std::fs::read_to_string(core.dir().join("audit")).unwrap();
    assert!(!everything.contains(password));
    assert!(!format!("{:?}", core.log()).contains(password));
}

#[test]
fn every_refusal_is_one_answer_at_one_time_and_its_reason_stands_in_the_audit_log() {
    let realm = realm();
    let expired = realm.add_user("mustchange");
    let samdb = realm.dir.join("ad/private/sam.ldb");
    let must_change = Command::new("samba-tool")
        .args(["user", "setpassword", "mustchange", "--must-change-at-next-login"])
        .arg(format!("--newpassword={expired}"))
        .arg(format!("--configfile={}", realm.smb_conf.display()))
        .arg("-H")
        .arg(samdb)
        .output()
        .unwrap();
    assert!(must_change.status.success(), "{must_change:?}");
    let core = Doorward::core(&config(LISTED));
    let mut socket = Core::connect(&core.core_socket());
    let long = "x".repeat(1025);
    let mit = format!("alice@{}", realm.mit_name);
    let mut answers = Vec::new();
    for (name, password, reason) in [
        ("alice", "wrong", "wrong_password"),
        ("nobody-of-this-name", "wrong", "unknown_user"),
        ("carol", realm.password("carol"), "account_disabled"),
        ("mustchange", &expired, "password_expired"),
        ("alice", "", "empty_password"),
        ("alice", &long, "password_too_long"),
        ("alice", "nul\0nul", "wrong_password"),
        ("SYSTEM", "any", "reserved_name"),
        ("alice/admin", "any", "odd_principal"),
        ("", "any", "odd_principal"),
        (&mit, realm.password(&mit), "realm_not_allowed"),
        (r"OTHER\alice", realm.password("alice"), "realm_not_allowed"),
    ] {
        let began = clock::instant();
        let (status, mut said) = socket.password(name, password);
        let took = began.elapsed();
        assert_eq!(status, 401, "{name:?} {reason}: {said}");
        // Whatever was to be done, it was not answered before the first full step.
        assert!(took >= Duration::from_millis(300), "{name:?} {reason}: {took:?}");
        let reference = said.as_object_mut().unwrap().remove("reference").unwrap();
        let line = core.wait_audit(reason, |line| line["reference"] == reference);
        assert_eq!(line["reason"], reason, "{name:?}: {line}");
        answers.push(said);
    }
    assert!(answers.iter().all(|said| *said == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["error"], "logon_failed");
}

#[test]
fn a_password_is_checked_for_every_peer_and_beside_nothing_else() {
    let gateway = Gateway::start();
    let socket = gateway.doorward.core_socket();
    let ask = |uid: Option<&str>, body: Value| {
        let body = body.to_string();
        let args = ["--unix-socket", socket.to_str().unwrap(), "--data", &body];
        let args = [&args[..], &["http://core/v1/sessions"]].concat();
        match uid {
            Some(uid) => crate::lab::clients::curl_as(uid, &args),
            None => curl(None, &args),
        }
    };
    let right = json!({"user": "alice", "password": realm().password("alice")});
    // The core's own uid needs no password; one that it sends counts all the same.
    for uid in [None, Some("nobody")] {
        assert_eq!(ask(uid, right.clone()).status, 201, "{uid:?}");
        assert_eq!(ask(uid, json!({"user": "alice", "password": "wrong"})).status, 401, "{uid:?}");
    }
    for odd in [
        json!({"password": "x"}),
        json!({"user": "alice", "password": "x", "trusted": true}),
        json!({"user": "alice", "password": 7}),
    ] {
        assert_eq!(ask(None, odd.clone()).status, 400, "{odd}");
    }
    let act_as = json!({"user": "alice", "password": realm().password("alice"), "act_as": "bob"});
    assert_eq!(ask(Some("nobody"), act_as).status, 403);
}

#[test]
fn over_tls_a_password_is_enough_with_a_key_or_without() {
    let pki = Pki::new();
    for name in ["webapp", "gate"] {
        pki.client(name);
    }
    let keys = "[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"mary\"]\n\
                [[core.key]]\nfile = \"gate-public.pem\"\nrole = \"front\"\n";
    let keytab = format!("[sso.kerberos]\nkeytab = \"{}\"\n", realm().web_keytab.display());
    let core = Doorward::core(&pki.core(&format!("{keys}{keytab}")));
    let right = json!({"user": "alice", "password": realm().password("alice"), "basic": true});
    let wrong = json!({"user": "alice", "password": "wrong"});
    for (name, mechanism) in
        [(None, "password"), (Some("webapp"), "password"), (Some("gate"), "basic")]
    {
        let ask =
            |body: &Value| tls::ask(&core, &pki, name, "POST", "/v1/sessions", Some(body.clone()));
        let opened = ask(&right);
        assert_eq!(opened.status, 201, "{name:?}: {opened:?}");
        // Only a front is believed that the password came by HTTP.
        assert_eq!(opened.json()["mechanism"], mechanism, "{name:?}");
        let refused = ask(&wrong);
        assert_eq!(refused.status, 401, "{name:?}: {refused:?}");
        assert_eq!(refused.json().get("reason"), None, "{name:?}");
    }
}

#[test]
fn a_kdc_that_cannot_open_our_keytab_signs_nobody_on() {
    let rogue = Kdc::start(
        "LAB.EXAMPLE",
        &format!("HTTP/{}", web()),
        &[("alice", "chosen-by-the-impostor"), ("mallory", "m")],
    );
    assert!(rogue.gives_ticket("alice", "chosen-by-the-impostor"), "the impostor works");
    let config_file = rogue.krb5_config.to_str().unwrap();
    let core = Doorward::start("core", &config(LISTED), &[("KRB5_CONFIG", config_file)]);
    let mut socket = Core::connect(&core.core_socket());
    let (status, said) = socket.password("alice", "chosen-by-the-impostor");
    assert_eq!((status, &said["error"]), (503, &json!("kdc_unproven")), "{said}");
    core.wait_audit("the impostor", |line| line["reason"] == "kdc_unproven");
    // With its own keytab, the same KDC is the real one: the setting alone makes the difference.
    let own = config_with(&rogue.keytab, LISTED);
    let core = Doorward::start("core", &own, &[("KRB5_CONFIG", config_file)]);
    let mut socket = Core::connect(&core.core_socket());
    assert_eq!(socket.password("alice", "chosen-by-the-impostor").0, 201);
    assert_eq!(socket.password("alice", "wrong").0, 401);
}

#[test]
fn a_kdc_that_is_slow_or_gone_is_no_wrong_password() {
    let kdc =
        Kdc::start("OWN.EXAMPLE", "HTTP/web.own.example", &[("alice", "one"), ("bob", "two")]);
    let config_file = kdc.krb5_config.to_str().unwrap();
    let own = config_with(&kdc.keytab, "");
    let mut core = Doorward::start("core", &own, &[("KRB5_CONFIG", config_file)]);
    let mut socket = Core::connect(&core.core_socket());
    assert_eq!(socket.password("alice", "one").0, 201);
    kdc.process.signal(Signal::SIGSTOP);
    let began = clock::instant();
    for (user, password) in [("bob", "two"), ("alice", "wrong")] {
        let (status, said) = socket.password(user, password);
        assert_eq!((status, &said["error"]), (503, &json!("kdc_unreachable")), "{said}");
    }
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    // Who was right a moment ago is remembered.
    assert_eq!(socket.password("alice", "one").0, 201);
    // A thread still waits for the KDC; that holds nobody up.
    let began = clock::instant();
    assert!(core.stop().success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    core.restart();
    kdc.process.signal(Signal::SIGKILL);
    let mut socket = Core::connect(&core.core_socket());
    let (status, said) = socket.password("alice", "one");
    assert_eq!((status, &said["error"]), (503, &json!("kdc_unreachable")), "{said}");
}

const WITH_BASIC: &str = "mechanisms = [\"negotiate\", \"basic\"]";

fn with_basic() -> Gateway {
    Setup { sso: WITH_BASIC, ..Setup::default() }.start()
}

fn user(name: &str) -> String {
    format!("{name}:{}", realm().password(name))
}

#[test]
fn curl_signs_on_by_basic_over_tls_and_the_application_sees_no_password() {
    let gateway = with_basic();
    let answer = gateway.get_tls(None, "/", &["-u", &user("alice")]);
    assert_eq!(answer.statuses(), [200], "{answer:?}");
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    assert_eq!(reached(&answer, "Remote-Mechanism"), ["basic"]);
    assert_eq!(reached(&answer, "Authorization"), [] as [&str; 0]);
    let jürgen = gateway.get_tls(None, "/", &["-u", &user("jürgen")]);
    assert_eq!(jürgen.status, 200, "{jürgen:?}");
    let refused = gateway.get_tls(None, "/", &["-u", "alice:wrong"]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"], "logon_failed");
    let offered: Vec<&str> = refused.all("www-authenticate").collect();
    let basic = format!("Basic realm=\"{}\", charset=\"UTF-8\"", web());
    assert_eq!(offered, ["Negotiate", &basic]);
    let unknown = gateway.get_tls(None, "/", &["-u", "nobody-of-this-name:wrong"]);
    let words = |answer: &crate::lab::http::Response| {
        let mut said = answer.json();
        said.as_object_mut().unwrap().remove("reference");
        said
    };
    assert_eq!(words(&unknown), words(&refused));
    gateway.doorward.wait_audit("the reason", |line| {
        line["reason"] == "unknown_user" && line["mechanism"] == "basic"
    });
    assert_eq!(
        gateway.metric("doorward_signons_total{mechanism=\"basic\",outcome=\"granted\""),
        2.0
    );
}

#[test]
fn no_password_stands_in_log_or_audit_whatever_is_logged() {
    let more = "[log]\nlevel = \"trace\"\nformat = \"json\"\naudit = \"{dir}/audit\"".to_owned();
    let gateway = Setup { sso: WITH_BASIC, more, ..Setup::default() }.start();
    let (right, wrong) = (realm().password("alice"), "a-wrong-one-of-its-own");
    assert_eq!(gateway.get_tls(None, "/", &["-u", &user("alice")]).status, 200);
    assert_eq!(gateway.get_tls(None, "/", &["-u", &format!("alice:{wrong}")]).status, 401);
    gateway.doorward.wait_audit("the refusal", |line| line["reason"] == "wrong_password");
    let audit = std::fs::read_to_string(gateway.doorward.dir().join("audit")).unwrap();
    let log = gateway.doorward.log().iter().map(ToString::to_string).collect::<String>();
    for (name, text) in [("audit", audit), ("log", log)] {
        assert!(!text.is_empty(), "{name}");
        assert!(!text.contains(right) && !text.contains(wrong), "a password stands in the {name}");
    }
}

#[test]
fn whoever_guesses_at_a_site_is_told_to_wait_and_for_how_long() {
    let core = "password_attempts_per_account = 2";
    let gateway = Setup { sso: WITH_BASIC, core, ..Setup::default() }.start();
    let answers: Vec<_> =
        (0..3).map(|_| gateway.get_tls(None, "/", &["-u", "alice:wrong"])).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [401, 401, 429]);
    assert_eq!(answers[2].json()["error"], "too_many_attempts");
    assert_eq!(answers[2].header("retry-after"), Some("60"));
    assert_eq!(answers[2].header("www-authenticate"), None);
    // The right one is not looked at either, from here.
    assert_eq!(gateway.get_tls(None, "/", &["-u", &user("alice")]).status, 429);
    assert_eq!(gateway.get_tls(None, "/", &["-u", &user("bob")]).status, 200);
}

#[test]
fn over_plain_http_basic_is_neither_offered_nor_taken_unless_a_trusted_proxy_speaks_tls() {
    let gateway = with_basic();
    let nobody = gateway.get(None, "/", &[]);
    assert_eq!(nobody.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
    let refused = gateway.get(None, "/", &["-u", &user("alice")]);
    assert_eq!((refused.status, refused.json()["error"].as_str()), (403, Some("basic_needs_tls")));
    let proxied =
        Setup { sso: WITH_BASIC, front: "trusted_proxies = [\"127.0.0.1\"]", ..Setup::default() };
    let proxied = proxied.start();
    let https = ["-u", &user("alice"), "-H", "X-Forwarded-Proto: https"].map(str::to_owned);
    let https: Vec<&str> = https.iter().map(String::as_str).collect();
    assert_eq!(proxied.get(None, "/", &https).status, 200);
    assert_eq!(proxied.get(None, "/", &["-u", &user("alice")]).status, 403);
}

#[test]
fn a_site_without_basic_takes_none_nor_a_session_that_was_opened_by_it() {
    let more =
        "[[site]]\nhost = \"*\"\npath = \"/narrow\"\nmechanisms = [\"negotiate\"]\n".to_owned();
    let gateway = Setup { sso: WITH_BASIC, more, ..Setup::default() }.start();
    let url = gateway.doorward.https_url("/narrow");
    let credentials = user("alice");
    let refused = curl(None, &["--insecure", "-u", &credentials, &url]);
    assert_eq!((refused.status, refused.json()["error"].as_str()), (401, Some("unknown_scheme")));
    assert_eq!(refused.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
    let cookie = cookie_of(&gateway.get_tls(None, "/", &["-u", &credentials]));
    let refused = curl(None, &["--insecure", "-b", &cookie, &url]);
    assert_eq!((refused.status, refused.json()["error"].as_str()), (401, Some("wrong_mechanism")));
    let strict =
        Setup { sso: WITH_BASIC, site: "channel_binding = \"require\"", ..Setup::default() };
    let refused = strict.start().get_tls(None, "/", &["-u", &credentials]);
    assert_eq!(refused.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
}

#[test]
fn nobody_inherits_the_identity_of_the_request_before() {
    let gateway = with_basic();
    let script = format!(
        "import base64, http.client, ssl\n\
         c = http.client.HTTPSConnection('127.0.0.1', {}, context=ssl._create_unverified_context())\n\
         def ask(who):\n\
         \x20   h = {{'Host': '{}'}}\n\
         \x20   if who: h['Authorization'] = 'Basic ' + base64.b64encode(who.encode()).decode()\n\
         \x20   c.request('GET', '/.doorward/whoami', headers=h)\n\
         \x20   r = c.getresponse(); r.read(); port = c.sock.getsockname()[1]\n\
         \x20   return r.status, port\n\
         said = [ask(who) for who in ['{}', None, '{}', 'bob:wrong', None]]\n\
         print([s for s, _ in said], len(set(p for _, p in said)))",
        gateway.doorward.https_port(),
        web(),
        user("alice"),
        user("bob"),
    );
    assert_eq!(python(&script, None).trim(), "[200, 401, 200, 401, 401] 1");
}

#[test]
fn a_password_that_comes_again_is_not_asked_for_at_the_kdc_again() {
    let gateway = with_basic();
    let checks = |outcome: &str| {
        gateway.metric(&format!("doorward_password_checks_total{{outcome=\"{outcome}\"}}"))
    };
    let credentials = user("alice");
    let first = gateway.get_tls(None, "/", &["-u", &credentials]);
    let cookie = cookie_of(&first);
    assert_eq!((checks("granted"), checks("remembered")), (1.0, 0.0));
    // With its cookie, nobody looks at the password any more; the session stays the same.
    let again = gateway.get_tls(None, "/", &["-u", &credentials, "-b", &cookie]);
    assert_eq!((again.status, again.header("set-cookie")), (200, None));
    assert_eq!((checks("granted"), checks("remembered")), (1.0, 0.0));
    // Without it, memory serves; and never another user's cookie.
    assert_eq!(gateway.get_tls(None, "/", &["-u", &credentials]).status, 200);
    assert_eq!((checks("granted"), checks("remembered")), (1.0, 1.0));
    let bob = gateway.get_tls(None, "/", &["-u", &user("bob"), "-b", &cookie]);
    assert_eq!(reached(&bob, "Remote-User"), ["bob"]);
    let off =
        Setup { sso: WITH_BASIC, core: "password_cache = \"0s\"", ..Setup::default() }.start();
    for _ in 0..2 {
        assert_eq!(off.get_tls(None, "/", &["-u", &credentials]).status, 200);
    }
    assert_eq!(off.metric("doorward_password_checks_total{outcome=\"granted\"}"), 2.0);
}

#[test]
fn an_account_that_the_kdc_refuses_is_forgotten_at_once() {
    let password = realm().add_user("leaving");
    let core = Doorward::core(&config(LISTED));
    let mut socket = Core::connect(&core.core_socket());
    assert_eq!(socket.password("leaving", &password).0, 201);
    realm().disable("leaving");
    // Remembered for a minute, until the KDC says otherwise of the account.
    assert_eq!(socket.password("leaving", &password).0, 201);
    assert_eq!(socket.password("leaving", "another").0, 401);
    assert_eq!(socket.password("leaving", &password).0, 401);
}
