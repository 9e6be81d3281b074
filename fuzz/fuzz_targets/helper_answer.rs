//! Whatever a helper answers: no panic, and no grant that it did not say.
#![no_main]

use doorward::front::mechanism::ntlm::helper::dialogue::{server_1, squid};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
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
});
