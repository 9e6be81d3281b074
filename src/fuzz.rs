//! What is fuzzed: parsers of untrusted bytes. `cargo fuzz` calls these (`fuzz/`); a unit test
//! reads the kept inputs again.

use crate::mechanism::ntlm::crypto::key::{ExportedKey, Integrity};
use crate::mechanism::ntlm::crypto::{SecretKey, sign};
use crate::mechanism::ntlm::helper::dialogue::{server_1, squid};
use crate::mechanism::ntlm::message::av_pair::TargetInfo;
use crate::mechanism::ntlm::message::response::NtResponse;
use crate::mechanism::ntlm::message::{
    self, Authenticate, Challenge, Kind, Negotiate, ServerNames,
};

/// What a helper answers (Samba's `ntlm_auth`, in both protocols): no panic, and no
/// grant that the helper did not write.
///
/// # Panics
/// An answer was read wrongly.
pub fn helper_answer(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for line in &lines {
        if let Ok(squid::Verdict::Granted { name }) = squid::verdict(line) {
            assert_eq!(line.strip_prefix(b"AF "), Some(name.as_bytes()));
        }
        let _ = squid::features(line);
        let _ = squid::opening(line);
        let _ = squid::key(line);
    }
    if let Ok(server_1::Answer::Yes { .. }) = server_1::answer(&lines) {
        assert_eq!(lines.first(), Some(&&b"Authenticated: Yes"[..]));
    }
}

/// A message of NTLM (MS-NLMP 2.2.1), a response or target information: reading ends
/// without a panic.
///
/// # Panics
/// A message was read wrongly.
pub fn ntlm_message(bytes: &[u8]) {
    match message::kind(bytes) {
        Ok(Kind::Negotiate) => negotiate(bytes),
        Ok(Kind::Challenge) => drop(Challenge::parse(bytes.to_vec())),
        Ok(Kind::Authenticate) => authenticate(bytes),
        Err(_) => {
            let _ = TargetInfo::parse(bytes);
            let _ = NtResponse::read(bytes, &[]);
        }
    }
}

/// The challenge that answers any request can be read again.
fn negotiate(bytes: &[u8]) {
    let Ok(negotiate) = Negotiate::parse(bytes.to_vec()) else { return };
    let names = ServerNames::new("LAB", "WEB", Some("lab.example"), "web.lab.example");
    let Ok(names) = names else { return };
    let challenge = Challenge::new(&negotiate, &names, *b"12345678", 1);
    assert_eq!(Challenge::parse(challenge.bytes().to_vec()), Ok(challenge));
}

/// A message that promises an integrity code has one, and a key that its sender does
/// not know proves nothing of it.
fn authenticate(bytes: &[u8]) {
    let Ok(message) = Authenticate::parse(bytes.to_vec()) else { return };
    assert!(message.user.chars().chain(message.domain.chars()).all(|c| !c.is_control()));
    let promised = message.response.ntlmv2().is_some_and(|response| response.promises_mic());
    let key = ExportedKey::new(SecretKey::new(Box::new([7; 16])), &message);
    let expected = if promised { Integrity::Broken } else { Integrity::Unprotected };
    assert_eq!(key.integrity(b"", b"", &message), expected);
    let _ = sign::sign_server(b"list", &key, message.flags);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_kept_input_is_read_to_its_end() {
        for (folder, read) in [
            ("helper_answer", super::helper_answer as fn(&[u8])),
            ("ntlm_message", super::ntlm_message),
        ] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(folder);
            let inputs: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
            assert!(inputs.len() > 3);
            for input in inputs {
                read(&std::fs::read(input.unwrap().path()).unwrap());
            }
        }
    }
}
