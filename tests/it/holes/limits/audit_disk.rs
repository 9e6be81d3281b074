//! A full disk under the audit log: what is not recorded does not happen where it
//! must be recorded, no line is spoilt, and what is missing is told.

use serde_json::Value;

use crate::gateway::{Gateway, Setup};
use crate::lab::{Doorward, LIMIT, curl, realm, servers, wait_until};
use crate::sessions::full_disk::SmallDisk;

fn sign_on(gateway: &Gateway) -> (u16, Value) {
    let token = realm().ticket("alice").tokens(&crate::gateway::web(), 1).remove(0);
    let answer = gateway.send_token(&token);
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// Every line of the log is a line of JSON, apart from those that were cut off.
fn lines(text: &str) -> (Vec<Value>, usize) {
    let read: Vec<_> = text.lines().map(serde_json::from_str::<Value>).collect();
    let torn = read.iter().filter(|line| line.is_err()).count();
    (read.into_iter().flatten().collect(), torn)
}

#[test]
fn without_room_for_the_audit_line_nobody_is_signed_on_where_it_is_required() {
    for required in [true, false] {
        let disk = SmallDisk::mount();
        let log = disk.path().join("audit.log");
        let app = servers::app();
        let config = Setup::default().config(app.port);
        let config =
            format!("[log]\naudit = \"{}\"\naudit_required = {required}\n{config}", log.display());
        let gateway = Gateway { doorward: Doorward::serve(&config), app };
        let ready = || {
            let answer = gateway.status("/ready");
            (answer.status, answer.json()["audit"].as_str().unwrap().to_owned())
        };
        assert_eq!(sign_on(&gateway).0, 200);
        assert_eq!(ready(), (200, "ok".to_owned()));
        disk.fill();
        // What is left of the last page takes some lines yet.
        let refused = wait_until(LIMIT, "a full log", || {
            let (status, said) = sign_on(&gateway);
            let full = ready().1.contains("No space left");
            (full && (status != 200 || !required)).then_some((status, said))
        });
        if required {
            assert_eq!((refused.0, &refused.1["error"]), (503, &"audit_failed".into()));
            assert_eq!(sign_on(&gateway).0, 503);
            let socket = gateway.doorward.core_socket();
            let wish = r#"{"user": "bob", "trusted": true}"#;
            let url = "http://core/v1/sessions";
            let opened = curl(None, &["--unix-socket", socket.to_str().unwrap(), "-d", wish, url]);
            assert_eq!((opened.status, &opened.json()["error"]), (503, &"audit_failed".into()));
        } else {
            assert_eq!(sign_on(&gateway).0, 200);
        }
        let (status, said) = ready();
        assert!(status == 503 && said.contains("No space left"), "{status} {said}");
        disk.make_room();
        wait_until(LIMIT, "readiness", || (ready().0 == 200).then_some(()));
        assert_eq!(sign_on(&gateway).0, 200);
        drop(gateway);
        let (lines, torn) = lines(&std::fs::read_to_string(&log).unwrap());
        assert!(torn <= 1, "only the line for which there was no room is cut off");
        let lost = lines.iter().find(|line| line["event"] == "lines_lost").unwrap();
        assert!(lost["lost"].as_u64().unwrap() > 0, "{lost}");
        let after = lines.iter().skip_while(|line| line["event"] != "lines_lost");
        let granted =
            after.filter(|line| line["outcome"] == "granted" && line["event"] == "sign_on");
        assert!(granted.count() >= 1, "{lines:?}");
        if required {
            // Who was signed on stands there; who does not stand there was not.
            let refused = lines.iter().filter(|line| line["reason"] == "audit_failed").count();
            assert!(refused <= lines.len());
        }
    }
}
