//! Names and passwords in the charsets that programs send.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::gateway::Setup;
use crate::lab::realm;

#[test]
fn basic_is_read_in_utf_8_composed_or_not_and_in_latin_1() {
    let gateway = Setup { sso: "mechanisms = [\"basic\"]", ..Setup::default() }.start();
    let password = realm().password("jürgen");
    let composed = format!("jürgen:{password}").into_bytes();
    let decomposed = format!("ju\u{308}rgen:{password}").into_bytes();
    let latin = [b"j\xfcrgen:", password.as_bytes()].concat();
    for sent in [composed, decomposed, latin] {
        let header = format!("Authorization: Basic {}", STANDARD.encode(&sent));
        let answer = gateway.get_tls(None, "/.doorward/whoami", &["-H", &header]);
        assert_eq!(answer.status, 200, "{}: {answer:?}", sent.escape_ascii());
        assert_eq!(answer.json()["user"]["login"], "jürgen");
    }
}
