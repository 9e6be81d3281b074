//! Sign-on by the identity that a connection keeps, for clients without cookies.

use super::RequestContext;
use crate::front::connection::bound::Marks;
use crate::wire::{Mechanism, SessionSecret};

/// The session that was proven on the connection by the client of this request. Where
/// a proxy may have sent it, none is.
pub(in crate::front) fn session(context: RequestContext<'_>) -> Option<SessionSecret> {
    let RequestContext { connection, headers, facts, .. } = context;
    if facts.shared { None } else { connection.sign_on.bound(&facts.host, headers) }
}

/// Keeps a session on the connection that it was proven on. Kerberos proves a request
/// (RFC 4559): its clients send a token or a cookie with each. NTLM proves a
/// connection; but a proxy on this host may say nothing of itself, and what comes over
/// plain HTTP from loopback is most likely to be one.
pub(super) fn keep(context: RequestContext<'_>, mechanism: Mechanism, session: SessionSecret) {
    let RequestContext { connection, headers, facts, .. } = context;
    let local = !connection.is_tls() && connection.peer.is_loopback();
    let client = match mechanism {
        _ if facts.shared => return,
        Mechanism::Certificate => None,
        Mechanism::Ntlm if !local => Some(Marks::of(headers)),
        Mechanism::Negotiate
        | Mechanism::Ntlm
        | Mechanism::Basic
        | Mechanism::Password
        | Mechanism::Unix
        | Mechanism::Trusted => return,
    };
    connection.sign_on.bind(&facts.host, session, client);
}
