//! `doorward probe` reads the reason of every answer, and says who gave it.

use std::process::Command;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::doorward::program;
use crate::lab::{Doorward, Pki, Ticket, realm, servers, temp_dir};

/// Whether a probe came in, and what it said.
#[track_caller]
fn probe(ticket: &Ticket, args: &[&str]) -> (bool, String) {
    let mut command = program();
    command.arg("probe").args(args).envs(ticket.env());
    run(&mut command)
}

#[track_caller]
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[track_caller]
fn says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word} is missing in\n{said}");
    }
}

#[test]
fn a_proxy_with_small_buffers_is_named_with_its_setting() {
    let gateway = Gateway::start();
    let nginx = servers::nginx(&format!(
        "server {{ listen 127.0.0.1:{{port}}; large_client_header_buffers 4 8k;\n\
         location / {{ proxy_pass http://127.0.0.1:{}; proxy_set_header Host $http_host; }} }}",
        gateway.doorward.http_port()
    ));
    let url = format!("http://{}:{}/", web(), nginx.port);
    let (came_in, said) = probe(&realm().ticket("dora"), &[&url, "--negotiate"]);
    assert!(!came_in);
    says(&said, &["400 Bad Request comes from nginx", "large_client_header_buffers 4 128k"]);
    assert!(said.contains("Not signed on:"), "{said}");
}

#[test]
fn a_proxy_that_ends_tls_and_is_not_listed_is_noticed_by_the_cookie() {
    let pki = Pki::new();
    pki.key("web", "P-256");
    pki.issue("web", "ca", &format!("subjectAltName=DNS:{}", web()));
    let gateway = Gateway::start();
    let nginx = servers::nginx(&format!(
        "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {};\n\
         large_client_header_buffers 4 128k;\n\
         location / {{ proxy_pass http://127.0.0.1:{}; proxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-Proto https; }} }}",
        pki.text("web.crt"),
        pki.text("web.key"),
        gateway.doorward.http_port()
    ));
    let url = format!("https://{}:{}/", web(), nginx.port);
    let ca = pki.text("ca.crt");
    let args = [&url, "--negotiate", "--no-channel-binding", "--ca", &ca];
    let (came_in, said) = probe(&realm().ticket("alice"), &args);
    assert!(came_in, "{said}");
    says(&said, &["WITHOUT __Host-", "not in its trusted_proxies"]);
}

#[test]
fn whoever_signed_on_and_has_no_page_is_told_so() {
    let alice = realm().ticket("alice");
    let pki = Pki::new();
    let tls = servers::nginx(&format!(
        "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {}; }}",
        pki.text("core.crt"),
        pki.text("core.key")
    ));
    let empty = servers::nginx("server { listen 127.0.0.1:{port}; return 404; }");
    for (port, comes_in, words) in [
        (1, false, &["Signed on, but application_down: ", "is not running"][..]),
        (empty.port, true, &["Signed on, but the application answers 404 Not Found"]),
        (
            tls.port,
            false,
            &["Signed on, but the application answers 400", "it speaks TLS", "plain HTTP"],
        ),
    ] {
        let app = servers::app();
        let gateway = Gateway { doorward: Doorward::serve(&Setup::default().config(port)), app };
        let (came_in, said) = probe(&alice, &[&gateway.doorward.url("/"), "--negotiate"]);
        assert_eq!(came_in, comes_in, "{said}");
        says(&said, words);
        assert!(!said.contains("Not signed on"), "{said}");
    }
    let bare = Setup::default().config(1).replace("upstream = \"http://127.0.0.1:1\"", "");
    let gateway = Gateway { doorward: Doorward::serve(&bare), app: servers::app() };
    let (_, said) = probe(&alice, &[&gateway.doorward.url("/"), "--negotiate"]);
    says(&said, &["Signed on, but no_site: ", "no application"]);
}

#[test]
fn the_reason_of_an_answer_that_asks_for_nothing_is_shown() {
    let config = Setup::default().config(1).replace("host = \"*\"", "host = \"only.lab.example\"");
    let gateway = Gateway { doorward: Doorward::serve(&config), app: servers::app() };
    let (came_in, said) =
        probe(&realm().ticket("alice"), &[&gateway.doorward.url("/"), "--negotiate"]);
    assert!(!came_in);
    says(
        &said,
        &["404 Not Found, no_site: ", "No site is configured for the host web.lab.example"],
    );
}

#[test]
fn http_2_is_tried_as_well() {
    let gateway = Gateway::start();
    let url = gateway.doorward.https_url("/");
    let alice = realm().ticket("alice");
    let (came_in, said) = probe(&alice, &[&url, "--negotiate", "--insecure"]);
    assert!(came_in, "{said}");
    says(&said, &["HTTP/2       the same sign-on gets 200 OK"]);
    let small = Setup { front: "max_header_bytes = 8192", ..Setup::default() }.start();
    let url = small.doorward.https_url("/");
    let (came_in, said) = probe(&realm().ticket("dora"), &[&url, "--negotiate", "--insecure"]);
    assert!(!came_in, "{said}");
    says(&said, &["431"]);
}

#[test]
fn a_clock_that_is_wrong_is_told_with_both_times() {
    let gateway = Gateway::start();
    let alice = realm().fresh_ticket("alice", &[]).unwrap();
    // The KDC would refuse that clock too: the ticket for the service is fetched before.
    alice.tokens(&web(), 1);
    let url = gateway.doorward.url("/");
    let behind = |offset: &str| {
        let mut command = Command::new("faketime");
        command.args(["-f", offset, env!("CARGO_BIN_EXE_doorward"), "probe", &url, "--negotiate"]);
        command.envs(alice.env());
        run(&mut command)
    };
    let (came_in, said) = behind("-10m");
    assert!(!came_in, "{said}");
    says(&said, &["this machine's clock says ", "10 min 0", "behind it", "is not valid yet"]);
    let (_, said) = behind("+10m");
    says(&said, &["this machine's clock says ", "ahead of it"]);
}

#[test]
fn a_name_that_krb5_conf_made_of_another_is_told() {
    let gateway = Gateway::start();
    let dir = temp_dir("krb5-");
    let file = dir.path().join("krb5.conf");
    let sound = std::fs::read_to_string(&realm().krb5_config).unwrap();
    let renaming = sound
        .replace("rdns = false", "rdns = true")
        .replace("dns_canonicalize_hostname = false", "dns_canonicalize_hostname = true");
    assert_ne!(renaming, sound);
    std::fs::write(&file, renaming).unwrap();
    let mut command = program();
    command.args(["probe", &gateway.doorward.url("/"), "--negotiate"]);
    command.envs(realm().ticket("alice").env()).env("KRB5_CONFIG", &file);
    let (came_in, said) = run(&mut command);
    assert!(!came_in, "{said}");
    says(&said, &["krb5.conf made", "rdns = false", "dns_canonicalize_hostname = false"]);
}

#[test]
fn a_name_on_two_accounts_is_told_with_the_commands() {
    let service = realm().add_service("probed-twice");
    realm().add_service("probed-second");
    realm().duplicate_spn(&service, "svc-probed-second");
    let gateway = Setup { keytab: Some(service.keytab.clone()), ..Setup::default() }.start();
    let url = format!("http://{}:{}/", service.host, gateway.doorward.http_port());
    let alice = realm().fresh_ticket("alice", &[]).unwrap();
    let (came_in, said) = probe(&alice, &[&url, "--negotiate"]);
    assert!(!came_in, "{said}");
    let name = format!("HTTP/{}", service.host);
    says(&said, &["on no account, or on two", &format!("setspn -Q {name}"), "setspn -D"]);
}

#[test]
fn an_incomplete_chain_and_an_expired_certificate_are_told_with_what_mends_them() {
    let pki = Pki::new();
    pki.key("between", "P-256");
    pki.issue("between", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign");
    pki.key("web", "P-256");
    let name = format!("subjectAltName=DNS:{}", web());
    let serve = |issuer: &str, when: &str| {
        pki.issue_at(when, "web", issuer, &name);
        let front = format!("server_ssl_key_file = \"{}\"", pki.text("web.pem"));
        let config =
            Setup::default().config(1).replacen("[front]\n", &format!("[front]\n{front}\n"), 1);
        Gateway { doorward: Doorward::serve(&config), app: servers::app() }
    };
    let ca = pki.text("ca.crt");
    let tried = |gateway: &Gateway| {
        let url = gateway.doorward.https_url("/");
        probe(&realm().ticket("alice"), &[&url, "--negotiate", "--ca", &ca]).1
    };
    let said = tried(&serve("between", "-1 hour"));
    says(
        &said,
        &["it was issued by CN=between", "no certificate but its own", "append its certificate"],
    );
    let said = tried(&serve("ca", "-40 days"));
    says(&said, &["it expired on ", "Have it issued again"]);
}
