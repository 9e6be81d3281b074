//! Who was verified is told by the verifier, never by who asks.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup, reached, web};
use crate::lab::http::Response;
use crate::lab::ntlm::Login;
use crate::lab::{Doorward, Kdc, Ticket, curl, realm};
use crate::ntlm::{self, PROTOCOLS};
use crate::password::Core;

const PASSWORD: &str = "Pw-who-is-it-0815";
/// A person whose principal name is somebody else's by the look of it.
const ALIAS: (&str, &str) = ("evil-one", "boss-two");
/// A person whose principal name has another prefix and suffix than the account.
const DOE: (&str, &str) = ("jdoe", "john.doe@corp.example");
/// A computer; its holder asks for tickets without the `$`.
const COMPUTER: &str = "ws-root";

/// The accounts of these tests, made once.
fn accounts() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let realm = realm();
        realm.add_account(ALIAS.0, PASSWORD);
        realm.set_attribute(ALIAS.0, "userPrincipalName", &format!("{}@{}", ALIAS.1, realm.dns));
        realm.add_account(DOE.0, PASSWORD);
        realm.set_attribute(DOE.0, "userPrincipalName", DOE.1);
        realm.add_account(&format!("{COMPUTER}$"), PASSWORD);
    });
}

fn ticket(name: &str, options: &[&str]) -> Ticket {
    accounts();
    realm().kinit(name, PASSWORD, options).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn listed(more: &str) -> String {
    format!(
        "[[core.realm]]\nrealm = \"{}\"\ndomain = \"{}\"\n{more}\n",
        realm().name,
        realm().domain
    )
}

fn gateway(kerberos: &str, more: &str) -> Gateway {
    let setup = Setup { more: listed(more), ..Setup::default() };
    let app = crate::lab::servers::app();
    let config = setup.config(app.port).replacen("keytab = ", &format!("{kerberos}\nkeytab = "), 1);
    Gateway { doorward: Doorward::serve(&config), app }
}

fn sign_on(gateway: &Gateway, ticket: &Ticket) -> Response {
    gateway.send_token(&ticket.tokens(&web(), 1).remove(0))
}

/// The login at the application, or the reason why there is none.
fn outcome(answer: &Response) -> String {
    match answer.status {
        200 => reached(answer, "Remote-User").remove(0),
        _ => format!("refused: {}", answer.json()["error"].as_str().unwrap()),
    }
}

#[test]
fn the_account_of_a_ticket_signs_on_and_not_the_name_that_was_asked_for() {
    let enterprise = |name: &str| format!("{name}@{}", realm().dns);
    let alias = enterprise(ALIAS.1);
    let capitals = DOE.0.to_uppercase();
    let shown: [(&str, &[&str]); 10] = [
        (ALIAS.0, &[]),
        (ALIAS.1, &[]),
        (&alias, &["-E"]),
        (DOE.0, &[]),
        (&capitals, &[]),
        (DOE.1, &["-E"]),
        (DOE.1, &["-E", "-C"]),
        (COMPUTER, &[]),
        ("ws-root$", &[]),
        (COMPUTER, &["--no-request-pac"]),
    ];
    let corp = "[[core.realm]]\nrealm = \"CORP.EXAMPLE\"";
    let no_computer = "refused: computer_account";
    let no_pac = "refused: pac_missing";
    let evil = [ALIAS.0; 3];
    for (kerberos, more, people, computer) in [
        ("", "", [&evil[..], &["jdoe"; 4]].concat(), [no_computer; 2]),
        ("allow_computers = true", "", [&evil[..], &["jdoe"; 4]].concat(), ["ws-root$"; 2]),
        (
            "user_name = \"upn\"",
            corp,
            [&[ALIAS.1; 3][..], &["john.doe"; 4]].concat(),
            [no_computer; 2],
        ),
        (
            "user_name = \"upn\"",
            "",
            [&[ALIAS.1; 3][..], &["refused: realm_not_allowed"; 4]].concat(),
            [no_computer; 2],
        ),
        (
            "user_name = \"principal\"\nallow_computers = true",
            corp,
            vec![ALIAS.0, ALIAS.1, ALIAS.1, "jdoe", "jdoe", "john.doe", "jdoe"],
            ["refused: account_conflict", "ws-root$"],
        ),
    ] {
        let gateway = gateway(kerberos, more);
        let expected: Vec<&str> = people.into_iter().chain(computer).chain([no_pac]).collect();
        let got: Vec<String> = shown
            .iter()
            .map(|(name, options)| outcome(&sign_on(&gateway, &ticket(name, options))))
            .collect();
        assert_eq!(got, expected, "{kerberos:?} {more:?}");
        if kerberos.contains("principal") {
            let line = gateway
                .doorward
                .wait_audit("the conflict", |line| line["reason"] == "account_conflict");
            let said = line["detail"].as_str().unwrap();
            assert!(
                said.contains("ws-root@LAB.EXAMPLE") && said.contains(r"LAB\ws-root$"),
                "{line}"
            );
        }
        // What was shown is in the audit log beside who it was.
        if kerberos.is_empty() {
            let shown = format!("{}@{}", ALIAS.1, realm().name);
            let line = gateway.doorward.wait_audit("the alias", |line| line["principal"] == shown);
            assert_eq!((&line["login"], &line["outcome"]), (&json!(ALIAS.0), &json!("granted")));
        }
    }
}

#[test]
fn what_is_meant_for_a_name_is_not_had_by_who_only_asks_for_it() {
    accounts();
    let boss = format!("{}@{}", ALIAS.1, realm().name);
    let root = format!("{COMPUTER}@{}", realm().name);
    let altnames = format!("[core.altnames]\n\"{boss}\" = \"boss\"\n\"{root}\" = \"root\"");
    let alias = ticket(ALIAS.1, &[]);
    let computer = ticket(COMPUTER, &[]);
    let mapped = gateway("allow_computers = true", &altnames);
    assert_eq!(outcome(&sign_on(&mapped, &alias)), ALIAS.0);
    assert_eq!(outcome(&sign_on(&mapped, &computer)), "ws-root$");
    let own = format!("[core.altnames]\n\"{}@{}\" = \"kiosk\"", "ws-root$", realm().name);
    let own = gateway("", &own);
    assert_eq!(outcome(&sign_on(&own, &computer)), "kiosk", "named by its own name");

    let site = "require = [\"user:boss-two\", \"user:ws-root\"]";
    let setup = Setup { site, more: listed(""), ..Setup::default() };
    let required = setup.start();
    assert_eq!(outcome(&sign_on(&required, &alias)), "refused: requirement_not_met");
}

#[test]
fn one_person_is_one_login_by_every_mechanism() {
    accounts();
    let sso = "mechanisms = [\"negotiate\", \"ntlm\", \"basic\"]";
    for protocol in PROTOCOLS {
        let setup = Setup { sso, more: listed(""), ..Setup::default() };
        let gateway = ntlm::Ntlm::start_with(protocol, "", setup);
        let mut seen = Vec::new();
        for (name, options) in [(DOE.0, &[][..]), (DOE.1, &["-E"])] {
            seen.push(outcome(&sign_on(&gateway, &ticket(name, options))));
        }
        for typed in [r"LAB\jdoe", r"lab\JDOE", "jdoe@lab.example", "jdoe"] {
            seen.push(outcome(&gateway.log_in(&Login::with(typed, PASSWORD))));
        }
        for typed in ["jdoe", "JDOE", "jdoe@LAB.EXAMPLE", r"LAB\jdoe"] {
            let user = format!("{typed}:{PASSWORD}");
            seen.push(outcome(&gateway.get_tls(None, "/", &["-u", &user])));
        }
        let mut core = Core::connect(&gateway.doorward.core_socket());
        let (status, session) = core.password("jdoe", PASSWORD);
        assert_eq!(status, 201, "{session}");
        seen.push(session["user"]["login"].as_str().unwrap().to_owned());
        assert_eq!(seen, vec![DOE.0; 11], "{protocol}");
        let socket = gateway.doorward.core_socket();
        let socket = socket.to_str().unwrap();
        let list = curl(None, &["--unix-socket", socket, "http://core/v1/sessions?user=jdoe"]);
        let listed = list.json()["sessions"].as_array().unwrap().len();
        assert!(listed >= 11, "{protocol}: {list:?}");
        // The principal of a password has its realm, as the others.
        let line =
            gateway.doorward.wait_audit("a password", |line| line["mechanism"] == "password");
        assert_eq!(line["principal"], "jdoe@LAB.EXAMPLE", "{line}");
    }
}

#[test]
fn who_types_another_name_of_an_account_is_that_account() {
    accounts();
    let sso = "mechanisms = [\"basic\"]";
    let setup = Setup { sso, more: listed(""), ..Setup::default() };
    let gateway = setup.start();
    let typed = |name: &str, password: &str| {
        outcome(&gateway.get_tls(None, "/", &["-u", &format!("{name}:{password}")]))
    };
    assert_eq!(typed(ALIAS.1, PASSWORD), ALIAS.0);
    assert_eq!(typed(&format!("{}@{}", ALIAS.1, realm().dns), PASSWORD), ALIAS.0);
    // Remembered, and still the account.
    assert_eq!(typed(ALIAS.1, PASSWORD), ALIAS.0);
    for computer in [COMPUTER, "ws-root$"] {
        assert_eq!(typed(computer, PASSWORD), "refused: logon_failed");
    }
    let refused = |line: &Value| line["reason"] == "computer_account";
    gateway.doorward.wait_audit("the computer", refused);
    // Accents as signs of their own, as some systems type them.
    let answer = gateway.get_tls(
        None,
        "/",
        &["-u", &format!("ju\u{308}rgen:{}", realm().password("jürgen"))],
    );
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn all_names_of_an_account_share_its_wrong_passwords() {
    accounts();
    let core = "password_attempts_per_account = 3";
    let config = format!(
        "[sso.kerberos]\nkeytab = \"{}\"\n[core]\nlisten = \"unix:{{dir}}/core.sock\"\n{core}\n{}",
        realm().web_keytab.display(),
        listed("")
    );
    let core = Doorward::core(&config);
    let mut socket = Core::connect(&core.core_socket());
    let wrong = [ALIAS.1, ALIAS.0, r"LAB\Evil-One"];
    for name in wrong {
        assert_eq!(socket.password(name, "wrong").0, 401, "{name}");
    }
    for name in [ALIAS.0, ALIAS.1, "BOSS-TWO@lab.example", r"lab\evil-one"] {
        assert_eq!(socket.password(name, PASSWORD).0, 429, "{name}");
    }
    assert_eq!(socket.password(DOE.0, PASSWORD).0, 201, "nobody else is held up");
}

/// What the gateway relies on to learn an account's own name from winbind; no name that
/// the lab's directory passes over gets as far as that (`src/front/mechanism/ntlm/helper`).
#[test]
fn winbind_asks_the_directory_for_names_of_which_it_does_not_remember_one() {
    let name = "two words";
    realm().add_account(name, PASSWORD);
    let _winbind = crate::lab::winbind::up();
    let ask = |arguments: &[&str]| {
        let done = Command::new("wbinfo").args(arguments).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let sid = ask(&[&format!(r"--name-to-sid={}\Two   Words", realm().domain)]);
    let sid = sid.split(' ').next().unwrap();
    let rid = sid.rsplit('-').next().unwrap();
    assert_eq!(ask(&[&format!("--sid-to-name={sid}")]).trim(), r"LAB\two   words 1");
    let domain = format!("--domain={}", realm().domain);
    let named = ask(&[&format!("--lookup-rids={rid},599123456"), &domain]);
    assert!(named.contains(&format!("{rid}: {name} (SID_USER)")), "{named}");
}

#[test]
fn computers_do_not_sign_on_by_ntlm() {
    accounts();
    for protocol in PROTOCOLS {
        let setup = Setup { more: listed(""), ..Setup::default() };
        let gateway = ntlm::Ntlm::start_with(protocol, "", setup);
        for typed in [r"LAB\ws-root$", "ws-root$@lab.example", r"LAB\ws-root"] {
            let answer = gateway.log_in(&Login::with(typed, PASSWORD));
            assert_eq!(answer.status, 401, "{protocol} {typed}: {answer:?}");
        }
    }
}

#[test]
fn a_realm_without_pac_is_believed_only_where_it_is_listed() {
    let service = format!("HTTP/{}", web());
    let users = [("alice", "one")];
    let kdc = Kdc::start_with("OLD.EXAMPLE", &service, &users, "disable_pac = true");
    let ticket = kdc.ticket("alice", "one").unwrap();
    let krb5_config = kdc.krb5_config.to_str().unwrap();
    for (kerberos, expected, status) in [
        ("", "refused: pac_missing", 401),
        ("realms_without_pac = [\"old.example\"]", "alice", 201),
    ] {
        let setup = Setup { keytab: Some(kdc.keytab.clone()), ..Setup::default() };
        let app = crate::lab::servers::app();
        let config =
            setup.config(app.port).replacen("keytab = ", &format!("{kerberos}\nkeytab = "), 1);
        let doorward = Doorward::start("serve", &config, &[("KRB5_CONFIG", krb5_config)]);
        let gateway = Gateway { doorward, app };
        assert_eq!(outcome(&sign_on(&gateway, &ticket)), expected, "{kerberos}");
        let mut core = Core::connect(&gateway.doorward.core_socket());
        assert_eq!(core.password("alice", "one").0, status, "{kerberos}");
    }
}

#[test]
fn a_service_account_that_gets_no_pac_believes_nobody() {
    accounts();
    let service = realm().add_service("nopac");
    let no_auth_data_required = 512 + 0x200_0000;
    let account = format!("svc-{}", service.name);
    realm().set_attribute(&account, "userAccountControl", &no_auth_data_required.to_string());
    let setup =
        Setup { keytab: Some(service.keytab.clone()), more: listed(""), ..Setup::default() };
    let gateway = setup.start();
    for name in [COMPUTER, DOE.0] {
        let answer = gateway.send_token(&ticket(name, &[]).tokens(&service.host, 1).remove(0));
        assert_eq!(outcome(&answer), "refused: pac_missing", "{name}");
    }
    let logged = gateway.doorward.wait_log("why", |line| line["reason"] == "pac_missing");
    assert!(logged.to_string().contains("NO_AUTH_DATA_REQUIRED"), "{logged}");
}
