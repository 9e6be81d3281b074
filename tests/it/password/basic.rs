//! Passwords by HTTP Basic authentication, at a site.

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::{curl, python, realm};

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
