//! A TLS client of Python's, whose connections stay open and resume each other's session.

use serde_json::Value;

use crate::lab::{Pki, python, realm};

/// What `GET path` is answered, as `[status, reason]`: on a connection, and on one that
/// resumes its TLS session; and after the Python of `does`, on both of these again and on
/// a third one that resumes. Behind each first answer to a resumed session stands whether
/// it was resumed indeed. The client is `NAME.pem`.
#[track_caller]
pub fn answers(
    pki: &Pki,
    (name, port, path): (&str, u16, &str),
    version: &str,
    does: &str,
) -> Value {
    let script = format!(
        r#"
import http.client, json, os, ssl, time
context = ssl.create_default_context(cafile="{ca}")
context.load_cert_chain("{pem}")
context.minimum_version = context.maximum_version = ssl.TLSVersion.{version}
class Connection(http.client.HTTPSConnection):
    def __init__(self, session=None):
        super().__init__("{host}", {port})
        self.session = session
    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host, session=self.session)
    def ask(self):
        self.request("GET", "{path}")
        answer = self.getresponse()
        return [answer.status, json.loads(answer.read()).get("reason")]
first = Connection()
said = [first.ask()]
resumed = Connection(first.sock.session)
said += [resumed.ask(), resumed.sock.session_reused]
{does}
said += [first.ask(), resumed.ask()]
again = Connection(resumed.sock.session)
said += [again.ask(), again.sock.session_reused]
print(json.dumps(said))
"#,
        ca = pki.text("ca.crt"),
        pem = pki.text(&format!("{name}.pem")),
        host = realm().host("web"),
    );
    serde_json::from_str(&python(&script, None)).unwrap()
}
