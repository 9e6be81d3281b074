//! Everything of NTLM that a client or a helper writes: messages, responses and
//! target information. Whatever the bytes are, reading ends, without a panic.

#![no_main]

use doorward::front::mechanism::ntlm::av_pair::TargetInfo;
use doorward::front::mechanism::ntlm::key::{ExportedKey, Integrity};
use doorward::front::mechanism::ntlm::message::{
    self, Authenticate, Challenge, Kind, Negotiate, ServerNames,
};
use doorward::front::mechanism::ntlm::response::NtResponse;
use doorward::front::mechanism::ntlm::sign;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match message::kind(bytes) {
        Ok(Kind::Negotiate) => negotiate(bytes),
        Ok(Kind::Challenge) => drop(Challenge::parse(bytes.to_vec())),
        Ok(Kind::Authenticate) => authenticate(bytes),
        Err(_) => {
            let _ = TargetInfo::parse(bytes);
            let _ = NtResponse::read(bytes, &[]);
        }
    }
});

/// Whatever a client asks, we can read what we answer.
fn negotiate(bytes: &[u8]) {
    let Ok(negotiate) = Negotiate::parse(bytes.to_vec()) else { return };
    let names = ServerNames::new("LAB", "WEB", Some("lab.example"), "web.lab.example").unwrap();
    let challenge = Challenge::new(&negotiate, &names, *b"12345678", 1);
    assert_eq!(Challenge::parse(challenge.bytes().to_vec()), Ok(challenge));
}

/// A message with a promised code has one, and a key that its sender does not
/// know proves nothing of it.
fn authenticate(bytes: &[u8]) {
    let Ok(message) = Authenticate::parse(bytes.to_vec()) else { return };
    assert!(message.user.chars().chain(message.domain.chars()).all(|c| !c.is_control()));
    let promised = message.response.ntlmv2().is_some_and(|response| response.promises_mic());
    let key = ExportedKey::new([7; 16], &message);
    let expected = if promised { Integrity::Broken } else { Integrity::Unprotected };
    assert_eq!(key.integrity(b"", b"", &message), expected);
    let _ = sign::sign_server(b"list", &key, message.flags);
}
