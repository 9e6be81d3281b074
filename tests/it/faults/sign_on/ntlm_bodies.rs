//! Bodies that come with the messages of an NTLM exchange.

use crate::gateway::web;
use crate::lab::ntlm::Login;
use crate::lab::{python, realm};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is};

#[test]
fn a_client_that_sends_its_whole_body_with_each_message_is_signed_on() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    for url in [gateway.doorward.url("/"), gateway.doorward.https_url("/")] {
        let script = format!(
            "import requests, requests_ntlm, urllib3, hashlib\n\
             urllib3.disable_warnings()\n\
             body = b'u' * (3 << 20)\n\
             for _ in range(2):\n    \
                 answer = requests.post({url:?}, data=body, verify=False,\n        \
                     auth=requests_ntlm.HttpNtlmAuth({user:?}, {password:?}))\n    \
                 print(answer.status_code, answer.json().get('body_length'))\n",
            user = format!(r"{}\alice", realm().domain),
            password = realm().password("alice"),
        );
        assert_eq!(python(&script, None), "200 3145728\n200 3145728\n", "{url}");
    }
}

#[test]
fn a_challenge_does_not_wait_for_the_body_of_the_first_message() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    for framing in ["Transfer-Encoding: chunked", "Content-Length: 300000"] {
        let mut connection = gateway.connect();
        let mut exchange = Login::of("alice").begin();
        connection.send(format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n{framing}\r\n\r\n",
            web(),
            exchange.first()
        ));
        let asked = connection.response();
        assert_eq!((asked.status, asked.header("connection")), (401, None), "{asked:?}");
        let chunked = framing.contains("chunked");
        connection.send(if chunked { b"5\r\nhello\r\n".as_slice() } else { &[b'u'; 150_000] });
        connection.send(if chunked { b"0\r\n\r\n".as_slice() } else { &[b'u'; 150_000] });
        let third = exchange.next(&asked).unwrap();
        let signed_on = connection.get(&web(), "/", &[("Authorization", &third)]);
        assert_is(&signed_on, "alice");
    }
}

#[test]
fn a_client_that_waits_to_be_told_sends_its_body_and_is_challenged() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let mut connection = gateway.connect();
    let mut exchange = Login::of("alice").begin();
    connection.send(format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        web(),
        exchange.first()
    ));
    assert_eq!(connection.response().status, 100);
    connection.send("hello");
    let asked = connection.response();
    assert_eq!(asked.status, 401);
    let third = exchange.next(&asked).unwrap();
    assert_is(&connection.get(&web(), "/", &[("Authorization", &third)]), "alice");
}
