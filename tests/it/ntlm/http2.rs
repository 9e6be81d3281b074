//! NTLM is never attempted on HTTP/2, and clients are brought to HTTP/1.1.

use crate::gateway::{Gateway, Setup, web};
use crate::lab::ntlm::Login;
use crate::lab::{curl_ntlm, python, realm};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is};

/// Sends requests one after another on one connection of HTTP/2 on TLS, each with its
/// `Authorization`, without, or as a browser (`page`): the status and challenges, or `reset N` with the error code.
fn h2(gateway: &Gateway, requests: &[Option<&str>]) -> Vec<String> {
    let requests: Vec<_> = requests
        .iter()
        .map(|value| value.map_or("None".to_owned(), |value| format!("'{value}'")))
        .collect();
    let script = format!(
        "import socket, ssl, h2.connection, h2.events as e\n\
         context = ssl.create_default_context()\n\
         context.check_hostname, context.verify_mode = False, ssl.CERT_NONE\n\
         context.set_alpn_protocols(['h2'])\n\
         s = context.wrap_socket(socket.create_connection(('127.0.0.1', {})))\n\
         assert s.selected_alpn_protocol() == 'h2'\n\
         c = h2.connection.H2Connection()\n\
         c.initiate_connection()\n\
         for at, value in enumerate([{}]):\n\
         \x20   headers = [(':method', 'GET'), (':path', '/'), (':scheme', 'https'), (':authority', '{}')]\n\
         \x20   headers += [('accept', 'text/html') if value == 'page' else ('authorization', value)] if value else []\n\
         \x20   stream, said, ended = 2 * at + 1, None, False\n\
         \x20   c.send_headers(stream, headers, end_stream=True)\n\
         \x20   s.sendall(c.data_to_send())\n\
         \x20   while not ended:\n\
         \x20       for event in c.receive_data(s.recv(65536)):\n\
         \x20           if isinstance(event, e.ResponseReceived):\n\
         \x20               offered = [v.decode() for k, v in event.headers if k == b'www-authenticate']\n\
         \x20               said = ' '.join([dict(event.headers)[b':status'].decode(), *offered])\n\
         \x20           elif isinstance(event, (e.StreamReset, e.ConnectionTerminated)):\n\
         \x20               said, ended = f'reset {{int(event.error_code)}}', True\n\
         \x20           elif isinstance(event, e.StreamEnded):\n\
         \x20               ended = True\n\
         \x20   print(said)",
        gateway.doorward.https_port(),
        requests.join(", "),
        web()
    );
    python(&script, None).lines().map(str::to_owned).collect()
}

#[test]
fn a_token_of_ntlm_is_reset_with_http_1_1_required_and_kerberos_is_taken() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    // RFC 9113 section 7: HTTP_1_1_REQUIRED is 13.
    let first = Login::of("alice").begin().first();
    let raw = first.replacen("NTLM", "Negotiate", 1);
    assert_eq!(h2(&gateway, &[Some(&first), Some(&raw)]), ["reset 13"; 2]);
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let ticket = format!("Negotiate {token}");
    let said = h2(&gateway, &[None, Some(&ticket)]);
    assert!(said[0] == "401 Negotiate" && said[1].starts_with("200 Negotiate "), "{said:?}");
}

#[test]
fn who_brings_nothing_hears_what_is_offered_and_is_brought_to_http_1_1_when_that_did_not_help() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    assert_eq!(h2(&gateway, &[None, None, None]), ["401 Negotiate", "reset 13", "reset 13"]);
    // A browser without a ticket asks for a password only where NTLM is offered.
    assert_eq!(h2(&gateway, &[Some("page")]), ["reset 13"]);
    // Where nothing else is offered, a 401 would have no challenge.
    let gateway = Ntlm::start_with(
        PROTOCOLS[0],
        "",
        Setup { sso: "mechanisms = [\"ntlm\"]", ..Setup::default() },
    );
    assert_eq!(h2(&gateway, &[None]), ["reset 13"]);
    // Where NTLM is not offered, nobody is sent away.
    let gateway = Gateway::start();
    assert_eq!(h2(&gateway, &[None, None, Some("page")]), ["401 Negotiate"; 3]);
}

#[test]
fn curl_begins_with_http_2_and_signs_on_with_http_1_1() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let url = gateway.doorward.https_url("/");
        let args = ["--http2", "--insecure", &url];
        let answer = curl_ntlm(r"LAB\alice", realm().password("alice"), &args);
        assert_is(&answer, "alice");
        assert_eq!(answer.version, "1.1");
    }
}

#[test]
fn plain_http_2_is_not_offered_ntlm() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let answer = gateway.get(None, "/", &["--http2-prior-knowledge"]);
    assert_eq!((answer.status, answer.version.as_str()), (401, "2"));
    assert_eq!(answer.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
}

#[test]
fn kerberos_still_signs_on_over_http_2() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let alice = realm().ticket("alice");
    let answer = gateway.get_tls(Some(&alice), "/", &["--http2"]);
    assert_eq!((answer.status, answer.version.as_str()), (200, "2"));
}
