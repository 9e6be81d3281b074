//! The identity that a connection keeps, for clients without cookies: only for the host that it
//! was proven for, and as long as the same client uses it.

use aws_lc_rs::digest::{Context, SHA256};
use http::HeaderMap;
use http::header::{COOKIE, USER_AGENT};

use crate::wire::SessionSecret;

/// The sessions that were proven on one connection, at most one for each host.
#[derive(Debug, Default)]
pub(in crate::front) struct Bound(Vec<One>);

#[derive(Debug)]
struct One {
    host: Box<str>,
    session: SessionSecret,
    /// Who proved it; `None` where the connection itself is the proof.
    client: Option<Marks>,
}

impl Bound {
    /// Keeps a session for requests to this host.
    pub(in crate::front) fn keep(
        &mut self,
        host: &str,
        session: SessionSecret,
        client: Option<Marks>,
    ) {
        self.0.retain(|one| *one.host != *host);
        if self.0.len() >= HOSTS {
            self.0.remove(0);
        }
        self.0.push(One { host: host.into(), session, client });
    }

    /// The session for a request to this host. Where another client seems to
    /// speak than the one that proved it, it ends here.
    pub(in crate::front) fn find(
        &mut self,
        host: &str,
        headers: &HeaderMap,
    ) -> Option<SessionSecret> {
        let at = self.0.iter().position(|one| *one.host == *host)?;
        if self.0[at].client.as_ref().is_some_and(|client| *client != Marks::of(headers)) {
            self.0.remove(at);
            return None;
        }
        Some(self.0[at].session.clone())
    }
}

/// What tells one client without our cookies from another, on a connection that a
/// proxy shares among them without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::front) struct Marks([u8; 32]);

impl Marks {
    /// The marks of the client that sent these headers.
    pub(in crate::front) fn of(headers: &HeaderMap) -> Self {
        let mut context = Context::new(&SHA256);
        for name in [USER_AGENT, COOKIE] {
            for line in headers.get_all(&name) {
                context.update(line.as_bytes());
                context.update(b"\n");
            }
            context.update(b"\0");
        }
        let mut marks = [0; 32];
        marks.copy_from_slice(context.finish().as_ref());
        Self(marks)
    }
}

/// Hosts that one connection is signed on at.
const HOSTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(http::HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_session_counts_for_its_host_and_its_client() {
        let (ours, secret) = (headers(&[(USER_AGENT, "a")]), SessionSecret::from_bits(&[1; 32]));
        let mut bound = Bound::default();
        bound.keep("web.example", secret.clone(), Some(Marks::of(&ours)));
        assert_eq!(bound.find("other.example", &ours), None);
        assert_eq!(bound.find("web.example", &ours), Some(secret.clone()));
        for other in [vec![], vec![(USER_AGENT, "b")], vec![(USER_AGENT, "a"), (COOKIE, "x=1")]] {
            bound.keep("web.example", secret.clone(), Some(Marks::of(&ours)));
            assert_eq!(bound.find("web.example", &headers(&other)), None, "{other:?}");
            assert_eq!(bound.find("web.example", &ours), None, "it ended");
        }
        bound.keep("web.example", secret.clone(), None);
        assert_eq!(bound.find("web.example", &headers(&[])), Some(secret));
    }

    #[test]
    fn hosts_that_a_client_makes_up_do_not_pile_up() {
        let mut bound = Bound::default();
        for number in 0..HOSTS * 2 {
            bound.keep(&format!("{number}.example"), SessionSecret::from_bits(&[1; 32]), None);
        }
        assert_eq!(bound.0.len(), HOSTS);
    }
}
