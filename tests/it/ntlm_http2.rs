//! NTLM is never attempted on HTTP/2, and clients are brought to HTTP/1.1.

use crate::gateway::web;
use crate::lab::ntlm::Login;
use crate::lab::{curl_ntlm, python, realm};
use crate::ntlm_gateway::{Ntlm, PROTOCOLS, assert_is};

/// Sends one request over HTTP/2 on TLS: the status, or `reset N` with the error code.
fn h2(gateway: &Ntlm, authorization: Option<&str>) -> String {
    let more = authorization
        .map_or(String::new(), |value| format!("headers.append(('authorization', '{value}'))\n"));
    let script = format!(
        "import socket, ssl, h2.connection, h2.events as e\n\
         context = ssl.create_default_context()\n\
         context.check_hostname, context.verify_mode = False, ssl.CERT_NONE\n\
         context.set_alpn_protocols(['h2'])\n\
         s = context.wrap_socket(socket.create_connection(('127.0.0.1', {})))\n\
         assert s.selected_alpn_protocol() == 'h2'\n\
         c = h2.connection.H2Connection()\n\
         c.initiate_connection()\n\
         headers = [(':method', 'GET'), (':path', '/'), (':scheme', 'https'), (':authority', '{}')]\n\
         {more}\
         c.send_headers(1, headers, end_stream=True)\n\
         s.sendall(c.data_to_send())\n\
         said = None\n\
         while not said:\n\
         \x20   for event in c.receive_data(s.recv(65536)):\n\
         \x20       if isinstance(event, e.ResponseReceived):\n\
         \x20           said = dict(event.headers)[b':status'].decode()\n\
         \x20       elif isinstance(event, (e.StreamReset, e.ConnectionTerminated)):\n\
         \x20           said = f'reset {{int(event.error_code)}}'\n\
         print(said)",
        gateway.doorward.https_port(),
        web()
    );
    python(&script, None).trim().to_owned()
}

#[test]
fn a_request_that_would_need_ntlm_is_reset_with_http_1_1_required() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    // RFC 9113 section 7: HTTP_1_1_REQUIRED is 13.
    assert_eq!(h2(&gateway, None), "reset 13");
    let first = Login::of("alice").begin().first();
    assert_eq!(h2(&gateway, Some(&first)), "reset 13");
    let raw = first.replacen("NTLM", "Negotiate", 1);
    assert_eq!(h2(&gateway, Some(&raw)), "reset 13");
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    assert_eq!(h2(&gateway, Some(&format!("Negotiate {token}"))), "200");
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
