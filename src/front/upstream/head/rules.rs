//! Which headers pass the gateway, in either direction. Headers are deleted before others are set:
//! nothing from a client can be where an application reads an identity.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};

use super::cookies;
use crate::config::section::HeaderNames;
use crate::front::request::header_names::{fold, is_forwarding, spells};

/// What may not pass, prepared once.
#[derive(Clone, Debug)]
pub(in crate::front) struct HeaderRules {
    /// Identity headers in lower case, with `-` between the words.
    identity: Vec<Box<[u8]>>,
    /// Doorward's own cookies.
    cookies: Vec<Box<str>>,
}

impl HeaderRules {
    /// Rules for these identity headers and these cookies of our own.
    pub(in crate::front) fn new(names: &HeaderNames, cookies: &[&str]) -> Self {
        let HeaderNames { user, name, email, groups, company, admin, mechanism, assertion } = names;
        let identity = [user, name, email, groups, company, admin, mechanism, assertion];
        Self {
            identity: (identity.iter().map(|name| name.as_str()).chain(CERTIFICATE))
                .map(|name| name.bytes().map(fold).collect())
                .collect(),
            cookies: cookies.iter().map(|name| (*name).into()).collect(),
        }
    }

    /// Removes every identity header, however it is spelt.
    pub(in crate::front) fn remove_identity(&self, headers: &mut HeaderMap) {
        remove(headers, |name| self.is_identity(name));
    }

    /// Removes what an application must not see: claimed identities, headers
    /// of one connection only (RFC 9110 section 7.6.1), our cookies and
    /// credentials, and what is said about forwarding, except the few facts that a
    /// trusted proxy is believed in.
    ///
    /// `pass_authorization` lets an `Authorization` header through whose
    /// scheme is one that Doorward does not speak.
    pub(in crate::front) fn strip_request(
        &self,
        headers: &mut HeaderMap,
        trusted_proxy: bool,
        pass_authorization: bool,
    ) {
        self.remove_identity(headers);
        remove_hop_by_hop(headers);
        // The gateway meets the expectation itself, by reading the body when
        // the application's connection takes it.
        headers.remove(EXPECT);
        remove(headers, |name| is_forwarding(name) && !(trusted_proxy && is_fact(name)));
        if !(pass_authorization && is_foreign_authorization(headers)) {
            headers.remove(AUTHORIZATION);
        }
        cookies::remove_from_request(headers, &self.cookies);
    }

    /// The cookies of a request that an application may see, in one line; it is empty
    /// where all of them are ours, so that it can stand in the place of the others.
    pub(in crate::front) fn passable_cookies(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut lines: HeaderMap =
            headers.get_all(COOKIE).into_iter().map(|line| (COOKIE, line.clone())).collect();
        if lines.is_empty() {
            return None;
        }
        cookies::remove_from_request(&mut lines, &self.cookies);
        Some(lines.remove(COOKIE).unwrap_or(HeaderValue::from_static("")))
    }

    /// Removes what an application may not tell the client: headers of its
    /// own connection, and cookies under our names.
    pub(in crate::front) fn strip_answer(&self, headers: &mut HeaderMap) {
        remove_hop_by_hop(headers);
        // It says whether the client's connection is signed on: ours is not the application's.
        headers.remove("persistent-auth");
        cookies::remove_from_answer(headers, &self.cookies);
    }

    /// Removes from the trailers of a request or an answer all but a few that say
    /// something of the body before them. Programs that take trailers for headers
    /// would read there what was deleted in the head.
    pub(in crate::front) fn strip_trailers(&self, trailers: &mut HeaderMap) {
        remove(trailers, |name| !may_trail(name) || self.is_identity(name));
    }

    fn is_identity(&self, name: &str) -> bool {
        self.identity.iter().any(|ours| spells(name.as_bytes(), ours))
    }
}

/// Whether a trusted proxy is believed in what this header says: who the client is
/// and what it asked for. Everything else of the families, above all other paths
/// and names of users, is the client's own as likely as not: proxies pass on what
/// they do not know.
fn is_fact(name: &str) -> bool {
    const FACTS: [&str; 6] = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-real-ip",
    ];
    FACTS.contains(&name)
}

/// Whether a field may stand behind a body: its checksums, how long it took to
/// make, and what gRPC says of it.
fn may_trail(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "content-digest",
        "repr-digest",
        "digest",
        "content-md5",
        "server-timing",
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "x-checksum",
    ];
    const FAMILIES: [&str; 2] = ["x-checksum-", "x-amz-checksum-"];
    NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Whether a body comes in a coding that is not known here: it cannot be passed
/// on, for its label belongs to one connection only (RFC 9112 section 7).
pub(in crate::front::upstream) fn foreign_coding(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get_all(TRANSFER_ENCODING).into_iter().find(|line| {
        let line = line.as_bytes().trim_ascii();
        !line.eq_ignore_ascii_case(b"chunked") && !line.eq_ignore_ascii_case(b"identity")
    })
}

/// Removes headers that belong to one connection, and those that `Connection` lists.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.remove(TRANSFER_ENCODING).is_some() {
        // Beside it a length says nothing (RFC 9112 section 6.3), and the next hop might believe it.
        headers.remove(CONTENT_LENGTH);
    }
    for name in listed(headers) {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
    headers.remove(TE);
    headers.remove(UPGRADE);
    remove(headers, |name| name == "keep-alive" || name.starts_with("proxy-") || name == "proxy");
}

/// Names that `Connection` lists, without those that must arrive whatever a
/// client lists: otherwise it could take from the application what it decides by.
fn listed(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|option| {
            !option.eq_ignore_ascii_case(b"close")
                && !option.eq_ignore_ascii_case(b"keep-alive")
                && !option.eq_ignore_ascii_case(b"upgrade")
        })
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH && !is_forwarding(name.as_str()))
        .collect()
}

fn is_foreign_authorization(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    match (values.next(), values.next()) {
        (Some(only), None) => !is_own_scheme(only),
        _ => false,
    }
}

fn is_own_scheme(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes().trim_ascii_start();
    let scheme = bytes.split(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or(bytes);
    [&b"negotiate"[..], b"ntlm", b"kerberos", b"basic"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(scheme))
}

/// Removes the headers whose name `is_doomed`. A request without any costs no allocation.
fn remove(headers: &mut HeaderMap, is_doomed: impl Fn(&str) -> bool) {
    let doomed: Vec<HeaderName> =
        headers.keys().filter(|name| is_doomed(name.as_str())).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
}

/// Where gateways tell applications of a client's certificate (RFC 9440). This
/// one does not, and a client may not either.
const CERTIFICATE: [&str; 2] = ["client-cert", "client-cert-chain"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::upstream::testing::header_names;

    fn rules() -> HeaderRules {
        HeaderRules::new(&header_names(), &["doorward"])
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers
                .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    /// What is left of a request from an untrusted client.
    fn passed(lines: &[(&str, &str)]) -> Vec<String> {
        let mut headers = headers(lines);
        rules().strip_request(&mut headers, false, false);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut left: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
        left.sort();
        left
    }

    #[test]
    fn an_identity_header_is_removed_however_it_is_spelt() {
        for name in [
            "Remote-User",
            "REMOTE-USER",
            "remote_user",
            "Remote.User",
            "remote-Name",
            "rEMOTE_eMAIL",
            "Remote~Groups",
            "remote^company",
            "remote!admin",
            "Remote_Mechanism",
            "Doorward_Assertion",
            "doorward.assertion",
            "Client-Cert",
            "client_cert_chain",
        ] {
            assert_eq!(passed(&[(name, "root"), (name, "john")]), [""; 0], "{name}");
        }
    }

    #[test]
    fn behind_a_body_only_a_few_fields_pass() {
        let mut trailers = headers(&[
            ("Content-Digest", "sha-256=:x:"),
            ("grpc-status", "0"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("X-Original-URL", "/admin"),
            ("Cookie", "doorward=x"),
            ("Set-Cookie", "doorward=x"),
            ("Remote_User", "root"),
            ("Content-Length", "5"),
            ("Authorization", "Basic eDp5"),
            ("Host", "evil.example"),
        ]);
        rules().strip_trailers(&mut trailers);
        let mut left: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-digest", "grpc-status"]);
    }

    #[test]
    fn names_that_only_look_alike_pass() {
        for name in ["x-remote-user", "remote-users", "remoteuser", "remote-user-agent", "user"] {
            assert_eq!(passed(&[(name, "v")]), [format!("{name}: v")]);
        }
    }

    #[test]
    fn configured_names_are_folded_as_well() {
        let mut names = header_names();
        names.user = HeaderName::from_static("x_auth.user");
        let rules = HeaderRules::new(&names, &[]);
        let mut headers = headers(&[("X-Auth-User", "root"), ("x_auth_user", "root")]);
        rules.remove_identity(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn headers_of_one_connection_stay_on_it() {
        let left = passed(&[
            ("Connection", "keep-alive, X-Hop, remote-user, X-Bad Name"),
            ("X-Hop", "1"),
            ("Remote-User", "root"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"),
            ("Proxy-Authorization", "Basic eDp5"),
            ("Proxy", "http://evil.example"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"),
            ("Expect", "100-continue"),
            ("Accept", "*/*"),
        ]);
        assert_eq!(left, ["accept: */*"]);
    }

    #[test]
    fn a_client_cannot_have_removed_what_the_application_decides_by() {
        let left = passed(&[
            ("Connection", "Host, content-length, close"),
            ("Host", "web.example"),
            ("Content-Length", "5"),
        ]);
        assert_eq!(left, ["content-length: 5", "host: web.example"]);
        let mut from_proxy =
            headers(&[("Connection", "X-Forwarded-For"), ("X-Forwarded-For", "192.0.2.7")]);
        rules().strip_request(&mut from_proxy, true, false);
        assert_eq!(from_proxy["x-forwarded-for"], "192.0.2.7");
    }

    #[test]
    fn a_length_beside_chunks_does_not_pass() {
        let mut lying = headers(&[
            ("Connection", "transfer-encoding"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "5"),
        ]);
        rules().strip_answer(&mut lying);
        assert!(lying.is_empty(), "{lying:?}");
    }

    #[test]
    fn a_trusted_proxy_is_believed_in_named_facts_and_nobody_else_in_any() {
        let facts = [
            ("Forwarded", "for=192.0.2.7"),
            ("X-Forwarded-For", "192.0.2.7"),
            ("X-Forwarded-Host", "web.example"),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
            ("X-Real-IP", "192.0.2.7"),
        ];
        let others = [
            "X_Forwarded_For",
            "X-Original-URL",
            "X-Original-URI",
            "X-Original-Host",
            "X-Rewrite-URL",
            "X-Rewrite-Path",
            "X-Forwarded-Uri",
            "X-Forwarded-Path",
            "X-Forwarded-Prefix",
            "X-Forwarded-Method",
            "X-Forwarded-User",
            "X-Forwarded-Groups",
            "X-Forwarded-Email",
            "X-Forwarded-Client-Cert",
            "X-Envoy-Original-Path",
            "X-Replaced-Path",
        ]
        .map(|name| (name, "/admin"));
        let lines = [facts.as_slice(), &others].concat();
        assert_eq!(passed(&lines), [""; 0]);
        let mut from_proxy = headers(&lines);
        rules().strip_request(&mut from_proxy, true, false);
        let mut left: Vec<_> = from_proxy.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, facts.map(|(name, _)| name.to_ascii_lowercase()));
    }

    #[test]
    fn credentials_for_doorward_end_here() {
        for (allowed, values, passes) in [
            (false, &["Bearer abc"][..], false),
            (true, &["Bearer abc"], true),
            (true, &["Negotiate YII="], false),
            (true, &["negotiate"], false),
            (true, &["NTLM TlRM"], false),
            (true, &["Kerberos YII="], false),
            (true, &[" basic eDp5"], false),
            (true, &["Basic\teDp5"], false),
            (true, &["Bearer abc", "Basic eDp5"], false),
            (true, &["Bearer abc", "Bearer def"], false),
        ] {
            let lines: Vec<_> = values.iter().map(|value| ("Authorization", *value)).collect();
            let mut headers = headers(&lines);
            rules().strip_request(&mut headers, false, allowed);
            assert_eq!(headers.contains_key(AUTHORIZATION), passes, "{allowed} {values:?}");
        }
    }

    #[test]
    fn the_session_cookie_ends_here_and_the_others_pass() {
        let mut request = headers(&[("Cookie", "theme=dark; doorward=secret")]);
        rules().strip_request(&mut request, false, false);
        assert_eq!(request[COOKIE], "theme=dark");
        for (lines, passable) in [
            (vec![], None),
            (vec!["doorward=secret"], Some("")),
            (vec!["doorward=secret; theme=dark"], Some("theme=dark")),
            (vec!["doorward=x; a=1", "doorward=secret", "b=2; doorward=secret"], Some("a=1; b=2")),
        ] {
            let lines: Vec<_> = lines.into_iter().map(|line| ("Cookie", line)).collect();
            let found = rules().passable_cookies(&headers(&lines));
            assert_eq!(found.as_ref().map(HeaderValue::as_bytes), passable.map(str::as_bytes));
        }
    }
}
