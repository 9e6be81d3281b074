//! The core: its audit log, and who makes room for whom.

use serde_json::json;

use crate::core::tls::ask;
use crate::lab::{Doorward, Pki};
use crate::password::{Core, config};

#[test]
fn one_refused_request_by_tls_is_one_line_with_one_reference() {
    let pki = Pki::new();
    pki.client("web");
    pki.unlist("web");
    let core = Doorward::core(&pki.core(""));
    let answer = ask(&core, &pki, Some("web"), "GET", "/v1/whoami", None).json();
    let reference = answer["reference"].as_str().unwrap().to_owned();
    core.wait_audit("the refusal", |line| line["reference"] == reference);
    // What comes after it is written after it.
    let answer = ask(&core, &pki, Some("web"), "GET", "/v1/whoami", None).json();
    let second = answer["reference"].as_str().unwrap().to_owned();
    core.wait_audit("the second", |line| line["reference"] == second);
    let lines = core.audit().into_iter().filter(|line| line["peer"] == "certificate");
    let references: Vec<_> = lines.map(|line| line["reference"].clone()).collect();
    assert_eq!(references, [reference, second]);
}

#[test]
fn a_new_session_outlives_those_of_its_account_that_were_used_before_it() {
    let core = Doorward::core(&config("max_sessions_per_user = 20"));
    let mut socket = Core::connect(&core.core_socket());
    let mut open = || {
        let (status, said) = socket.open(&json!({"user": "monitor", "trusted": true}));
        assert_eq!(status, 201, "{said}");
        said["session"].as_str().unwrap().to_owned()
    };
    let path = core.core_socket();
    let resolve = |session: &str| {
        let url = format!("http://core/v1/sessions/{session}");
        crate::lab::curl(None, &["--unix-socket", path.to_str().unwrap(), &url]).status
    };
    for _ in 0..20 {
        let session = open();
        assert_eq!(resolve(&session), 200);
    }
    // A person signs on while the monitor goes on opening and using its own.
    let person = open();
    for _ in 0..10 {
        let more = open();
        assert_eq!(resolve(&more), 200);
    }
    assert_eq!(resolve(&person), 200);
}
