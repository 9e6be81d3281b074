//! An application that is the gateway itself.

use crate::gateway::{Gateway, Setup, cookie_of, web};
use crate::lab::{Doorward, free_port, realm, servers};

#[test]
fn a_request_that_comes_back_ends_at_its_second_round() {
    let app = servers::app();
    let port = free_port();
    // A name, of which the file does not tell where it leads.
    let more =
        format!("[[site]]\nhost = \"*\"\npath = \"/loop\"\nupstream = \"http://{}:{port}\"", web());
    let listen = format!("listen = [\"127.0.0.1:{port}\"]");
    let config = Setup { more, ..Setup::default() }
        .config(app.port)
        .replace("listen = [\"127.0.0.1:0\"]", &listen);
    let gateway = Gateway { doorward: Doorward::serve(&config), app };
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    let answer = gateway.connect().get(&web(), "/loop", &[("Authorization", &value)]);
    assert_eq!(answer.status, 508, "{answer:?}");
    assert_eq!(answer.json()["error"], "loop_detected");
    let reference = answer.json()["reference"].as_str().unwrap().to_owned();
    gateway.doorward.wait_log("the loop", |line| line["reference"] == reference.as_str());
    let cookie = cookie_of(&answer);
    assert_eq!(gateway.connect().get(&web(), "/loop", &[("Cookie", &cookie)]).status, 508);
    gateway.doorward.wait_audit("the sign-on", |line| line["outcome"] == "granted");
    let granted = gateway.doorward.audit();
    let granted = granted.iter().filter(|line| line["outcome"] == "granted").count();
    assert_eq!(granted, 1, "each round counts once");
    // Another gateway's mark is none of ours.
    let other = [("Cookie", cookie.as_str()), ("Doorward-Hop", "OTHER")];
    assert_eq!(gateway.connect().get(&web(), "/", &other).status, 200);
}
