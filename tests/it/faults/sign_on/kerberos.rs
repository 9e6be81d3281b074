//! Kerberos: what the check says of the site, beside what a sign-on meets.

use crate::gateway::Setup;
use crate::lab::doorward::program;
use crate::lab::http::Raw;
use crate::lab::realm;

/// F16. The domain gives tickets for HTTP/ by a host's own account.
#[test]
fn a_keytab_of_a_machine_account_alone_signs_people_on_and_check_says_so() {
    let keytab = Some(realm().keytab_of("DC1$"));
    let gateway = Setup { keytab, ..Setup::default() }.start();
    let host = realm().host("dc1");
    let token = realm().ticket("alice").tokens(&host, 1).remove(0);
    let value = format!("Negotiate {token}");
    let mut connection = Raw::connect(gateway.doorward.http_port());
    let answer = connection.get(&host, "/", &[("Authorization", &value)]);
    assert_eq!(answer.status, 200, "{answer:?}");

    let config = gateway.doorward.dir().join("doorward.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let named = text.replace("host = \"*\"", &format!("host = \"{host}\""));
    std::fs::write(&config, named).unwrap();
    let checked = program().arg("check").arg("--config").arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0), "{said}");
    assert!(said.contains("for HTTP/dc1.lab.example (kvno 1"), "{said}");
}
