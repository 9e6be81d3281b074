//! Removes Doorward's own cookies, in both directions, and leaves every other byte unchanged (RFC
//! 6265 section 4).

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

/// Removes the cookies of these names from a request. Several `Cookie` lines,
/// as HTTP/2 sends them, become the one that HTTP/1.1 demands (RFC 9113 section 8.2.3).
pub(super) fn remove_from_request(headers: &mut HeaderMap, names: &[Box<str>]) {
    let mut lines = headers.get_all(COOKIE).into_iter();
    let (Some(first), more) = (lines.next(), lines.next().is_some()) else { return };
    if !more && !pairs(first).any(|pair| is_named(pair, names)) {
        return;
    }
    let mut kept = Vec::new();
    for line in headers.get_all(COOKIE) {
        let mut separator: &[u8] = b"; ";
        for pair in pairs(line).filter(|pair| !is_named(pair, names)) {
            if kept.is_empty() {
                kept.extend_from_slice(pair.trim_ascii_start());
            } else {
                kept.extend_from_slice(separator);
                kept.extend_from_slice(if separator == b";" {
                    pair
                } else {
                    pair.trim_ascii_start()
                });
            }
            separator = b";";
        }
    }
    // Bytes of valid values and separators: always a valid value itself.
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)) {
        Ok(value) if !value.is_empty() => {
            headers.insert(COOKIE, value);
        }
        _ => {
            headers.remove(COOKIE);
        }
    }
}

/// Removes what would set cookies of these names from an answer: an
/// application must not plant or overwrite a session.
pub(super) fn remove_from_answer(headers: &mut HeaderMap, names: &[Box<str>]) {
    if !headers.get_all(SET_COOKIE).into_iter().any(|value| sets(value, names)) {
        return;
    }
    let all: Vec<HeaderValue> = headers.get_all(SET_COOKIE).into_iter().cloned().collect();
    headers.remove(SET_COOKIE);
    for value in all.into_iter().filter(|value| !sets(value, names)) {
        headers.append(SET_COOKIE, value);
    }
}

fn pairs(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|byte| *byte == b';')
}

fn sets(value: &HeaderValue, names: &[Box<str>]) -> bool {
    pairs(value).next().is_some_and(|pair| is_named(pair, names))
}

/// Whether somebody might read this pair as one of the names. A cookie without
/// a name (`=doorward=x`) counts: browsers send it back as `doorward=x`.
fn is_named(pair: &[u8], names: &[Box<str>]) -> bool {
    let mut pair = pair.trim_ascii();
    while let Some(rest) = pair.strip_prefix(b"=") {
        pair = rest.trim_ascii_start();
    }
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or(pair).trim_ascii_end();
    names.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<Box<str>> {
        vec!["doorward".into(), "__Host-doorward".into()]
    }

    fn lines(name: http::HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn only_our_cookie_is_cut_out_of_a_request() {
        for (sent, passed) in [
            (&["a=1; doorward=secret; b=2"][..], Some("a=1; b=2")),
            (&["doorward=secret; b=2"], Some("b=2")),
            (&["a=1;doorward=secret"], Some("a=1")),
            (&["doorward=secret"], None),
            (&["__Host-doorward=secret; doorward=secret"], None),
            (&["DOORWARD=secret; a=1"], Some("a=1")),
            (&[" =doorward=secret; a=1"], Some("a=1")),
            (&["doorward = secret; a=1"], Some("a=1")),
            (
                &["a=1;b=\"x y\";  c=; =nameless; doorward=s;d=4=5"],
                Some("a=1;b=\"x y\";  c=; =nameless;d=4=5"),
            ),
            (&["my-doorward=1; doorwards=2"], Some("my-doorward=1; doorwards=2")),
            (&["a=1", "doorward=secret", "b=2;c=3"], Some("a=1; b=2;c=3")),
            (&["a=1;", "b=2"], Some("a=1;; b=2")),
            (&["", ""], None),
        ] {
            let mut headers = lines(COOKIE, sent);
            remove_from_request(&mut headers, &names());
            let found: Vec<_> = headers.get_all(COOKIE).into_iter().collect();
            assert_eq!(found, passed.into_iter().collect::<Vec<_>>(), "{sent:?}");
        }
    }

    #[test]
    fn cookies_of_other_bytes_than_ascii_pass_unchanged() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(b"n=J\xc3\xb6rg \xff; doorward=s").unwrap());
        remove_from_request(&mut headers, &names());
        assert_eq!(headers[COOKIE].as_bytes(), b"n=J\xc3\xb6rg \xff");
    }

    #[test]
    fn an_application_cannot_plant_a_session() {
        let mut headers = lines(
            SET_COOKIE,
            &["a=1; Path=/", "doorward=x; Path=/", "=__Host-doorward=x; Secure", "b=doorward=x"],
        );
        remove_from_answer(&mut headers, &names());
        let found: Vec<_> = headers.get_all(SET_COOKIE).into_iter().collect();
        assert_eq!(found, ["a=1; Path=/", "b=doorward=x"]);
    }
}
