//! Names of headers, as programs read them that turn them into variables.

/// Whether a header, however spelt, says something about forwarding or
/// replaces what the request line says (the path override that some
/// frameworks obey): nothing that a client may decide.
pub(in crate::front) fn is_forwarding(name: &str) -> bool {
    const NAMES: &[&[u8]] = &[b"forwarded", b"x-real-ip", b"x-replaced-path"];
    const FAMILIES: &[&[u8]] =
        &[b"x-forwarded-", b"x-original-", b"x-rewrite-", b"x-envoy-original-"];
    // Most names end here.
    if !matches!(name.as_bytes().first(), Some(b'x' | b'f')) {
        return false;
    }
    NAMES.iter().any(|ours| spells(name.as_bytes(), ours))
        || FAMILIES.iter().any(|family| {
            name.as_bytes().get(..family.len()).is_some_and(|start| spells(start, family))
        })
}

/// Whether a program that makes variables of header names (CGI, WSGI, PHP)
/// could take `name` for `canonical`: they fold case, and `_`, `.` and the
/// like to one character.
pub(in crate::front) fn spells(name: &[u8], canonical: &[u8]) -> bool {
    name.len() == canonical.len()
        && name.iter().zip(canonical).all(|(byte, ours)| fold(*byte) == *ours)
}

pub(in crate::front) const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_forwarding_header_is_known() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_for",
            "x.forwarded.host",
            "x-forwarded-user",
            "x-original-uri",
            "x-rewrite-url",
            "x.rewrite.uri",
            "x-envoy-original-path",
            "x_real-ip",
        ] {
            assert!(is_forwarding(name), "{name}");
        }
        for name in ["x-forwarded", "x-requested-with", "from", "x-originality", "xforwarded-for"] {
            assert!(!is_forwarding(name), "{name}");
        }
    }
}
