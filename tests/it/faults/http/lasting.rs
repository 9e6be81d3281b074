//! What lasts: streams that are a use of their session, and a start that takes a moment.

use crate::gateway::{Setup, web};
use crate::ntlm::setup_of;

#[test]
fn a_long_stream_counts_as_a_use_of_its_session() {
    let gateway = Setup {
        core: "session_timeout = \"20s\"\nsession_unclaimed = \"20s\"",
        ..Setup::default()
    }
    .start();
    let (streaming, idle) = (gateway.sign_on("alice"), gateway.sign_on("alice"));
    let mut stream = gateway.connect();
    let request =
        format!("GET /ticks/26 HTTP/1.1\r\nHost: {}\r\nCookie: {streaming}\r\n\r\n", web());
    stream.send(request);
    let answer = stream.response();
    assert_eq!(answer.text().matches("data: x").count(), 26);
    assert_eq!(gateway.whoami(&streaming).status, 200, "it was in use all the time");
    assert_eq!(gateway.whoami(&idle).status, 401, "the other one was not");
}

#[test]
fn by_default_ntlm_stands_in_the_first_answer() {
    let _winbind = crate::lab::winbind::up();
    let by_default = Setup { sso: "# mechanisms as they are by default", ..Setup::default() };
    for _ in 0..3 {
        let gateway = setup_of("ntlm-server-1", "", by_default.clone()).start();
        let answer = gateway.connect().get(&web(), "/", &[]);
        let offered: Vec<_> = answer.all("www-authenticate").collect();
        assert_eq!(offered, ["Negotiate", "NTLM"]);
    }
}
