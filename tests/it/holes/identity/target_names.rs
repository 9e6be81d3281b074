//! An answer of NTLM that was made for another service opens nothing here.

use crate::gateway::Setup;
use crate::lab::ntlm::Login;
use crate::lab::{curl_ntlm, realm};
use crate::ntlm::{Ntlm, assert_is, reason};

fn meant(service: &str, host: &str) -> Login {
    Login { target: (service.to_owned(), host.to_owned()), ..Login::of("alice") }
}

#[test]
fn an_answer_counts_for_http_at_a_host_of_ours() {
    let site = "[[site]]\nhost = \"intra.example\"\n[[site]]\nhost = \"*.apps.example\"\n";
    let setup = Setup { more: site.to_owned(), ..Setup::default() };
    let gateway = Ntlm::start_with("ntlm-server-1", "", setup);
    let web = realm().host("web");
    for (service, host) in [
        ("http", &*web),
        ("HTTP", &*web.to_uppercase()),
        ("http", "intra.example"),
        ("http", "wiki.apps.example"),
        ("http", &format!("{web}:8080")),
    ] {
        assert_is(&gateway.log_in(&meant(service, host)), "alice");
    }
    for (service, host) in [
        ("cifs", &*web),
        ("cifs", "evil.example"),
        ("http", "evil.example"),
        ("ldap", &*web),
        ("http", "apps.example"),
        ("http", &format!("{web}.evil.example")),
    ] {
        for mut connection in [gateway.connect(), gateway.connect_tls()] {
            let answer = meant(service, host).get(&mut connection, "/", &[]);
            let found = (answer.status, reason(&answer));
            assert_eq!(found, (401, "ntlm_target".to_owned()), "{service}/{host}");
        }
    }
    let verdicts = gateway.metric("doorward_ntlm_verdicts_total{verdict=\"granted\"}");
    assert!((verdicts - 5.0).abs() < 0.1, "winbind was asked for none of the others");
}

#[test]
fn the_host_that_a_request_names_is_not_ours_by_that() {
    // A site for every host; what somebody received at a host of his, he sends with its name.
    let gateway = Ntlm::start_with("ntlm-server-1", "", Setup::default());
    for host in ["evil.example", "192.0.2.66"] {
        for mut connection in [gateway.connect(), gateway.connect_tls()] {
            let answer = meant("http", host).get_from(&mut connection, host, "/", &[]);
            let found = (answer.status, reason(&answer));
            assert_eq!(found, (401, "ntlm_target".to_owned()), "{host}");
        }
    }
    let address = "127.0.0.1";
    let mut connection = gateway.connect();
    assert_is(&meant("http", address).get_from(&mut connection, address, "/", &[]), "alice");
}

#[test]
fn a_client_that_names_no_service_is_taken_and_so_is_any_where_names_are_not_looked_at() {
    let gateway = Ntlm::start("ntlm-server-1");
    let user = format!("{}\\alice", realm().domain);
    let url = gateway.doorward.url("/");
    assert_is(&curl_ntlm(&user, realm().password("alice"), &[&url]), "alice");
    let gateway = Ntlm::start_with("ntlm-server-1", "target_name = \"off\"\n", Setup::default());
    assert_is(&gateway.log_in(&meant("cifs", "evil.example")), "alice");
}
