//! The session cookie (RFC 6265): a random secret, and a check value, which distinguishes our
//! cookies from foreign ones without asking the core.
//!
//! The core never sees the cookie's secret. A one-way function of it and of the [`Origin`] that
//! the cookie is for gives the session's secret. So a cookie is valid at its own origin and
//! nowhere else, and no secret of the core's is a cookie.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox, SecretString};

use crate::wire::SessionSecret;
use crate::wire::key::is_session_id;

/// The cookie's name on plain HTTP.
pub(crate) const PLAIN: &str = "doorward";
/// The cookie's name on TLS: the prefix makes browsers refuse one that another host or plain HTTP planted.
pub(crate) const SECURE: &str = "__Host-doorward";

/// The cookie's name under a scheme.
pub(crate) const fn name(secure: bool) -> &'static str {
    if secure { SECURE } else { PLAIN }
}

/// What a cookie is for. The kind of cookie, its name, follows from the scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// Host name, lower case, without port.
    pub host: &'a str,
    /// Whether it is TLS.
    pub secure: bool,
}

/// The secret in a cookie: 256 random bits in base64url.
#[derive(Clone, Debug)]
pub(crate) struct CookieSecret(SecretString);

impl CookieSecret {
    /// A new one; `None` when the system has no random numbers.
    pub(crate) fn random() -> Option<Self> {
        let mut bits = SecretBox::<[u8; 32]>::default();
        rand::fill(bits.expose_secret_mut()).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bits.expose_secret()).into()))
    }

    /// The secret of a cookie's value, if the value was made for this origin.
    fn read(value: &[u8], origin: Origin<'_>) -> Option<Self> {
        let (secret, check) = str::from_utf8(value).ok()?.split_once('.')?;
        if check.len() != CHECK_LENGTH || !is_session_id(secret) {
            return None;
        }
        let secret = Self(secret.into());
        let right = secret.check(origin);
        verify_slices_are_equal(right.as_bytes(), check.as_bytes()).is_ok().then_some(secret)
    }

    /// The secret by which the core knows the session of this cookie.
    pub(crate) fn session(&self, origin: Origin<'_>) -> SessionSecret {
        let mut bits = [0; 32];
        bits.copy_from_slice(self.derive("doorward session", origin).as_ref());
        SessionSecret::from_bits(&bits)
    }

    /// The cookie's value.
    fn value(&self, origin: Origin<'_>) -> String {
        format!("{}.{}", self.0.expose_secret(), self.check(origin))
    }

    /// Tells nothing of the secret, and nothing of the session's.
    fn check(&self, origin: Origin<'_>) -> String {
        let mut check = URL_SAFE_NO_PAD.encode(self.derive("doorward cookie", origin));
        check.truncate(CHECK_LENGTH);
        check
    }

    /// `label` keeps the uses apart; none of the parts can hold the NUL between them.
    fn derive(&self, label: &str, Origin { host, secure }: Origin<'_>) -> hmac::Tag {
        let scheme = if secure { "https" } else { "http" };
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret().as_bytes());
        let mut context = hmac::Context::with_key(&key);
        for part in [label, scheme, host, name(secure)] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        context.sign()
    }
}

/// What a request brings under our names.
#[derive(Debug, Default)]
pub(crate) struct Presented {
    /// Sessions of cookies that were made for this origin.
    pub sessions: Vec<SessionSecret>,
    /// Values that are no cookie of ours, and may be the secret of a session that
    /// a program has opened at the core.
    pub bare: Vec<SessionSecret>,
    /// How many cookies have our names, whatever their values.
    pub named: usize,
    /// Whether there are more that fit than are looked at.
    pub too_many: bool,
}

impl Presented {
    /// Reads the cookies of a request to this origin. Other bytes in the same line,
    /// and other cookies of our names, hide nothing.
    pub(crate) fn read(headers: &HeaderMap, origin: Origin<'_>) -> Self {
        let mut presented = Self::default();
        for (secure, value) in ours(headers) {
            presented.named += 1;
            if secure == origin.secure {
                presented.take(value, origin);
            }
        }
        presented
    }

    /// The same, for cookies of both kinds: the plain one travels over TLS, too.
    pub(crate) fn read_both(headers: &HeaderMap, host: &str) -> Self {
        let mut presented = Self::default();
        for (secure, value) in ours(headers) {
            presented.named += 1;
            presented.take(value, Origin { host, secure });
        }
        presented
    }

    fn take(&mut self, value: &[u8], origin: Origin<'_>) {
        if let Some(secret) = CookieSecret::read(value, origin) {
            self.add(secret.session(origin), |presented| &mut presented.sessions);
        } else if let Some(secret) = str::from_utf8(value).ok().and_then(SessionSecret::read) {
            self.add(secret, |presented| &mut presented.bare);
        }
    }

    fn add(&mut self, secret: SessionSecret, list: impl Fn(&mut Self) -> &mut Vec<SessionSecret>) {
        let known = list(self);
        if known.len() < LOOKED_AT {
            if !known.contains(&secret) {
                known.push(secret);
            }
        } else {
            self.too_many = true;
        }
    }
}

/// Sets the cookie for a new session.
pub(crate) fn set(secret: &CookieSecret, origin: Origin<'_>) -> Option<HeaderValue> {
    let Origin { secure, .. } = origin;
    let (name, value, suffix) = (name(secure), secret.value(origin), suffix(secure));
    let mut value =
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{suffix}"))
            .ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Takes from the client the cookies of our names that it may be told about here.
pub(crate) fn clear(secure: bool) -> impl Iterator<Item = HeaderValue> {
    let kinds: &[bool] = if secure { &[true, false] } else { &[false] };
    kinds.iter().filter_map(|secure| {
        let (name, suffix) = (name(*secure), suffix(*secure));
        let text = format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{suffix}");
        HeaderValue::from_str(&text).ok()
    })
}

/// The values of all cookies that have one of our names, and whether it is that of TLS.
fn ours(headers: &HeaderMap) -> impl Iterator<Item = (bool, &[u8])> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
            let secure = key == SECURE.as_bytes();
            (secure || key == PLAIN.as_bytes()).then_some((secure, value))
        })
}

const fn suffix(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

/// 96 bits of the check value: nobody meets it by chance.
const CHECK_LENGTH: usize = 16;
/// Cookies that fit, of one request, that the core is asked about.
const LOOKED_AT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Origin<'_> = Origin { host: "web.example", secure: false };

    fn cookies(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    fn pair(secret: &CookieSecret, origin: Origin<'_>) -> String {
        format!("{}={}", name(origin.secure), secret.value(origin))
    }

    #[test]
    fn a_cookie_is_found_among_others_whatever_stands_beside_it() {
        let secret = CookieSecret::random().unwrap();
        let ours = pair(&secret, HERE);
        let planted = format!("doorward={}", "B".repeat(43));
        for line in [
            format!("a=b; {ours}; c=d"),
            format!("{planted}; {ours}"),
            format!("{ours};{planted}; doorward=x; doorward="),
            format!("n=J\u{f6}rg; {ours}"),
            format!("\t{} \t", ours.replace('=', " = ")),
        ] {
            let found = Presented::read(&cookies(&[line.as_bytes()]), HERE);
            assert_eq!(found.sessions, [secret.session(HERE)], "{line}");
        }
        let found = Presented::read(&cookies(&[b"n=J\xf6rg", ours.as_bytes()]), HERE);
        assert_eq!(found.sessions, [secret.session(HERE)]);
        let twice = Presented::read(&cookies(&[ours.as_bytes(), ours.as_bytes()]), HERE);
        assert_eq!((twice.sessions.len(), twice.named), (1, 2));
    }

    #[test]
    fn a_cookie_counts_at_its_own_origin_only() {
        let secret = CookieSecret::random().unwrap();
        let origins = [
            HERE,
            Origin { secure: true, ..HERE },
            Origin { host: "other.example", ..HERE },
            Origin { host: "other.example", secure: true },
        ];
        for there in origins {
            let value = secret.value(there);
            for here in origins {
                let line = format!("{}={value}", name(here.secure));
                let found = Presented::read(&cookies(&[line.as_bytes()]), here);
                assert_eq!(!found.sessions.is_empty(), here == there, "{there:?} at {here:?}");
                assert_eq!(secret.session(here) == secret.session(there), here == there);
            }
        }
    }

    #[test]
    fn nothing_but_what_was_given_fits() {
        let secret = CookieSecret::random().unwrap();
        let value = secret.value(HERE);
        let session = secret.session(HERE);
        for odd in [
            "",
            "x",
            &value[1..],
            &value[..value.len() - 1],
            &format!("{value}A"),
            secret.0.expose_secret(),
            session.as_str(),
            &format!("{}.{}", session.as_str(), &value[44..]),
            &value.replace('.', ""),
            &format!("\"{value}\""),
        ] {
            let found = Presented::read(&cookies(&[format!("doorward={odd}").as_bytes()]), HERE);
            assert_eq!((found.sessions.len(), found.named), (0, 1), "{odd:?}");
        }
    }

    #[test]
    fn the_secret_of_an_api_session_is_told_apart() {
        let secret = SessionSecret::from_bits(&[3; 32]);
        let line = format!("doorward={}", secret.as_str());
        let found = Presented::read(&cookies(&[line.as_bytes()]), HERE);
        assert_eq!((found.bare, found.sessions), (vec![secret], vec![]));
    }

    #[test]
    fn cookies_of_both_kinds_are_read_for_signing_off_and_no_more_than_a_few() {
        let secret = CookieSecret::random().unwrap();
        let both = [HERE, Origin { secure: true, ..HERE }];
        let line = both.map(|origin| pair(&secret, origin)).join("; ");
        let found = Presented::read_both(&cookies(&[line.as_bytes()]), HERE.host);
        assert_eq!(found.sessions, both.map(|origin| secret.session(origin)));
        assert_eq!(Presented::read(&cookies(&[line.as_bytes()]), HERE).sessions.len(), 1);
        let many: Vec<_> =
            (0..=LOOKED_AT).map(|_| pair(&CookieSecret::random().unwrap(), HERE)).collect();
        let found = Presented::read(&cookies(&[many.join("; ").as_bytes()]), HERE);
        assert!(found.too_many && found.sessions.len() == LOOKED_AT);
    }

    #[test]
    fn on_tls_the_cookie_is_bound_to_host_and_scheme() {
        let secret = CookieSecret::random().unwrap();
        let origin = Origin { secure: true, ..HERE };
        let value = secret.value(origin);
        assert_eq!(
            set(&secret, origin).unwrap().to_str().unwrap(),
            format!("__Host-doorward={value}; Path=/; HttpOnly; SameSite=Lax; Secure")
        );
        assert_eq!(value.len(), 60);
    }
}
