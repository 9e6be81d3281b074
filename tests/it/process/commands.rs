//! The program as an administrator meets it: start, reload, stop, check, probe.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::{Doorward, LIMIT, curl, doorward, realm, temp_dir, wait_until};

#[test]
fn a_wrong_configuration_is_told_with_line_and_mend_and_nothing_starts() {
    let dir = temp_dir("wrong-");
    let file = dir.path().join("doorward.toml");
    std::fs::write(
        &file,
        "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_tsl = []\n[core]\nsession_timeout = 5\n",
    )
    .unwrap();
    for command in ["serve", "front", "core", "check"] {
        let output = doorward::program().arg(command).arg("--config").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(78), "{command}: {said}");
        assert!(said.contains("doorward.toml:3:1"), "{command}: {said}");
        assert!(said.contains("listen_tls"), "{command}: {said}");
        assert!(said.contains("doorward.toml:5:"), "{command}: {said}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_starts_half() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Setup::default().config(1).replacen(
        "listen = [\"127.0.0.1:0\"]",
        &format!("listen = [\"127.0.0.1:0\", \"{}\"]", taken.local_addr().unwrap()),
        1,
    );
    let output = Doorward::run(&["serve"], &config);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&taken.local_addr().unwrap().to_string()), "{said}");
}

#[test]
fn a_reload_takes_a_new_configuration_or_keeps_the_old_one_whole() {
    let gateway = Gateway::start();
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    let status = || curl(None, &["-H", &cookie, &gateway.doorward.url("/")]).status;
    assert_eq!(status(), 200);
    let setup = Setup::default();
    let stricter = Setup { site: "require = [\"user:bob\"]", ..Setup::default() };
    gateway.doorward.reload(&stricter.config(gateway.app.port));
    wait_until(LIMIT, "the new requirement", || (status() == 403).then_some(()));
    gateway
        .doorward
        .reload(&setup.config(gateway.app.port).replace("host = \"*\"", "hots = \"*\""));
    let failed =
        gateway.doorward.wait_log("the failed reload", |line| line["event"] == "reload_failed");
    assert!(failed.to_string().contains("hots"), "{failed}");
    assert_eq!(status(), 403);

    let audit = gateway.doorward.dir().join("audit");
    std::fs::rename(&audit, audit.with_extension("1")).unwrap();
    std::fs::create_dir(&audit).unwrap();
    gateway.doorward.reload(&setup.config(gateway.app.port));
    gateway.doorward.wait_log("the audit file that cannot be opened", |line| {
        line["event"] == "reload_failed" && line.to_string().contains("audit")
    });
    assert_eq!(status(), 403);
    std::fs::remove_dir(&audit).unwrap();
    gateway.doorward.reload(&setup.config(gateway.app.port));
    wait_until(LIMIT, "the old requirement", || (status() == 200).then_some(()));
}

#[test]
fn where_signing_on_is_switched_off_neither_tokens_nor_sessions_count() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let off = Setup { sso: "enable_sso = false", ..Setup::default() };
    gateway.doorward.reload(&off.config(gateway.app.port));
    wait_until(LIMIT, "the end of signing on", || {
        (gateway.whoami(&cookie).status == 403).then_some(())
    });
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let refused = gateway.send_token(&token);
    assert_eq!((refused.status, refused.header("www-authenticate")), (403, None));
    assert_eq!(refused.json()["error"], "sso_disabled");
}

#[test]
fn a_rotated_audit_file_is_opened_anew_at_a_reload() {
    let gateway = Gateway::start();
    gateway.sign_on("alice");
    let audit = gateway.doorward.dir().join("audit");
    gateway.doorward.wait_audit("the first sign-on", |line| line["outcome"] == "granted");
    std::fs::rename(&audit, audit.with_extension("1")).unwrap();
    gateway.doorward.signal(Signal::SIGHUP);
    gateway.doorward.wait_log("the reload", |line| line["event"] == "reloaded");
    gateway.sign_on("bob");
    let line =
        gateway.doorward.wait_audit("the second sign-on", |line| line["outcome"] == "granted");
    assert_eq!(line["login"], "bob");
    assert_eq!(line["principal"], "bob@LAB.EXAMPLE");
}

#[test]
fn no_secret_stands_in_log_or_audit() {
    let gateway = Setup {
        more: "[log]\nlevel = \"trace\"\nformat = \"json\"\naudit = \"{dir}/audit\"".to_owned(),
        ..Setup::default()
    }
    .start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let cookie = crate::gateway::cookie_of(&gateway.send_token(&token));
    assert_eq!(gateway.whoami(&cookie).status, 200);
    let id = cookie.split_once('=').unwrap().1;
    gateway.doorward.wait_audit("the sign-on", |line| line["outcome"] == "granted");
    let audit = std::fs::read_to_string(gateway.doorward.dir().join("audit")).unwrap();
    let log = gateway.doorward.log().iter().map(ToString::to_string).collect::<String>();
    for (name, text) in [("audit", audit), ("log", log)] {
        assert!(!text.is_empty(), "{name}");
        assert!(!text.contains(id), "the session's secret stands in the {name}");
        assert!(!text.contains(&token[..200]), "a token stands in the {name}");
    }
}

#[test]
fn a_front_alone_and_a_core_alone_make_a_gateway() {
    let core = Doorward::core("[core]\nlisten = \"unix:{dir}/core.sock\"\n");
    let app = crate::lab::servers::app();
    let front = Doorward::front(&format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_status = \"127.0.0.1:0\"\ncore = \"unix:{}\"\n\
         [sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1:{}\"\n",
        core.core_socket().display(),
        realm().web_keytab.display(),
        app.port
    ));
    let gateway = Gateway { doorward: front, app };
    let mut core = core;
    let cookie = gateway.sign_on("alice");
    assert_eq!(gateway.whoami(&cookie).status, 200);
    assert_eq!(gateway.status("/ready").status, 200);
    let mut tunnel = gateway.connect();
    let upgrade =
        [("Cookie", cookie.as_str()), ("Connection", "Upgrade"), ("Upgrade", "websocket")];
    assert_eq!(tunnel.get(&web(), "/upgrade", &upgrade).status, 101);
    core.stop();
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503);
    assert_ne!(ready.json()["core"], "ok");
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let refused = gateway.send_token(&token);
    assert_eq!(
        (refused.status, refused.json()["error"].as_str().unwrap()),
        (503, "core_unreachable")
    );
    assert!(tunnel.closed(), "a tunnel lasts no longer than requests do");
    core.restart();
    wait_until(LIMIT, "the session after the core's restart", || {
        (gateway.whoami(&cookie).status == 200).then_some(())
    });
}

#[test]
fn a_front_that_the_core_does_not_know_is_not_ready_and_says_why() {
    let gateway = Gateway::start();
    let core = gateway.doorward.core_socket();
    let app = crate::lab::servers::app();
    let keytab = crate::lab::temp_dir("strange-front-");
    let config = format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_status = \"127.0.0.1:0\"\ncore = \"unix:{}\"\n\
         [sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1:{}\"\n",
        core.display(),
        keytab.path().join("web.keytab").display(),
        app.port
    );
    std::fs::copy(&realm().web_keytab, keytab.path().join("web.keytab")).unwrap();
    let strange = Doorward::front_as("nobody", &config, &[keytab.path()]);
    let front = Gateway { doorward: strange, app };
    let ready = front.status("/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.json()["core"].as_str().unwrap().contains("front_users"), "{}", ready.text());
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let refused = front.send_token(&token);
    assert_eq!(
        (refused.status, refused.json()["error"].as_str().unwrap()),
        (503, "front_not_allowed")
    );
}

#[test]
fn the_status_listener_tells_health_readiness_and_figures() {
    let gateway = Gateway::start();
    assert_eq!(gateway.status("/health").status, 200);
    assert_eq!(gateway.status("/ready").json()["ready"], true);
    gateway.sign_on("alice");
    gateway.connect().get(&web(), "/", &[("Authorization", "Negotiate YWJj")]);
    let granted =
        "doorward_signons_total{mechanism=\"negotiate\",outcome=\"granted\",reason=\"none\"}";
    let refused = "doorward_signons_total{mechanism=\"negotiate\",outcome=\"refused\",reason=\"defective_token\"}";
    assert_eq!(gateway.metric(granted) as u64, 1);
    assert_eq!(gateway.metric(refused) as u64, 1);
    assert!(gateway.metric("doorward_request_seconds_count") >= 2.0);
    let checked = Command::new("/usr/bin/python3").args(["-c", "import sys"]).status().unwrap();
    assert!(checked.success());
}

#[test]
fn check_names_what_is_wrong_with_the_surroundings_and_the_mend() {
    let setup = Setup { keytab: Some("/nonexistent/web.keytab".into()), ..Setup::default() };
    let output = Doorward::run(&["check", "--json"], &setup.config(1));
    assert_eq!(output.status.code(), Some(1));
    let checks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed = checks.as_array().unwrap().iter().find(|check| check["status"] == "FAIL").unwrap();
    assert!(failed.to_string().contains("/nonexistent/web.keytab"), "{failed}");
    assert!(!failed["mend"].as_str().unwrap().is_empty(), "{failed}");

    let app = crate::lab::servers::app();
    let output = Doorward::run(&["check"], &Setup::default().config(app.port));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("HTTP/web.lab.example@LAB.EXAMPLE"), "{said}");
}

#[test]
fn probe_signs_on_and_shows_every_leg() {
    let gateway = Gateway::start();
    let probe = |url: &str, ticket: Option<&crate::lab::Ticket>| {
        let mut command = doorward::program();
        command
            .args(["probe", url, "--negotiate", "--insecure"])
            .env("KRB5CCNAME", "FILE:/nonexistent");
        if let Some(ticket) = ticket {
            command.envs(ticket.env());
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    let alice = realm().ticket("alice");
    for url in [gateway.doorward.url("/"), gateway.doorward.https_url("/")] {
        let (code, said) = probe(&url, Some(&alice));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("alice@LAB.EXAMPLE"), "{said}");
    }
    let (code, said) = probe(&gateway.doorward.url("/"), None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("kinit"), "{said}");
}
