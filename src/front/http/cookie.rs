//! The session cookie (RFC 6265): a secret of 256 random bits and nothing else.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::wire::key::is_session_id;

/// The cookie's name on plain HTTP.
pub const PLAIN: &str = "doorward";
/// The cookie's name on TLS: the prefix makes browsers refuse one that another host or plain HTTP planted.
pub const SECURE: &str = "__Host-doorward";

/// The cookie's name under a scheme.
pub const fn name(secure: bool) -> &'static str {
    if secure { SECURE } else { PLAIN }
}

/// The session id that the client presents. Two cookies of the name are none:
/// one of them was planted.
pub fn session_id(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let wanted = name(secure);
    let mut found = None;
    for pair in pairs(headers) {
        let Some((key, value)) = pair.split_once('=') else { continue };
        if key.trim() != wanted {
            continue;
        }
        if found.is_some() {
            return None;
        }
        found = Some(value.trim());
    }
    found.filter(|id| is_session_id(id))
}

/// Sets the cookie for a new session.
pub fn set(id: &str, secure: bool) -> Option<HeaderValue> {
    let text = format!("{}={id}; Path=/; HttpOnly; SameSite=Lax{}", name(secure), suffix(secure));
    HeaderValue::from_str(&text).ok()
}

/// Takes the cookie from the client.
pub fn clear(secure: bool) -> Option<HeaderValue> {
    let text =
        format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", name(secure), suffix(secure));
    HeaderValue::from_str(&text).ok()
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
}

const fn suffix(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn cookies(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn the_id_is_found_among_other_cookies() {
        let headers = cookies(&[&format!("a=b; doorward={ID}; c=d")]);
        assert_eq!(session_id(&headers, false), Some(ID));
    }

    #[test]
    fn a_second_cookie_of_the_name_makes_both_worthless() {
        let planted = ID.replace('A', "B");
        let headers = cookies(&[&format!("doorward={ID}"), &format!("doorward={planted}")]);
        assert_eq!(session_id(&headers, false), None);
    }

    #[test]
    fn the_plain_cookie_does_not_count_on_tls() {
        let headers = cookies(&[&format!("doorward={ID}")]);
        assert_eq!(session_id(&headers, true), None);
    }

    #[test]
    fn an_id_of_another_form_is_none() {
        for odd in ["", "x", &ID[1..], &format!("{ID}A"), &ID.replace('A', "%")] {
            let headers = cookies(&[&format!("doorward={odd}")]);
            assert_eq!(session_id(&headers, false), None, "{odd:?}");
        }
    }

    #[test]
    fn on_tls_the_cookie_is_bound_to_host_and_scheme() {
        let set = set(ID, true).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            format!("__Host-doorward={ID}; Path=/; HttpOnly; SameSite=Lax; Secure")
        );
    }
}
