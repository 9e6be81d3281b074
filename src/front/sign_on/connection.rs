//! What a connection keeps of what was proven on it.

use super::Visit;
use crate::front::connection::bound::Marks;
use crate::wire::Mechanism;

/// Whether a connection keeps what was proven on it, and for whom. Kerberos proves
/// a request (RFC 4559): its clients send a token or a cookie with each. NTLM
/// proves a connection; but a proxy on this host may say nothing of itself, and
/// what comes over plain HTTP from loopback is most likely to be one.
pub(super) fn keeps(visit: Visit<'_>, mechanism: Mechanism) -> Option<Option<Marks>> {
    let Visit { connection, headers, facts, .. } = visit;
    let local = !connection.is_tls() && connection.peer.is_loopback();
    match mechanism {
        _ if facts.shared => None,
        Mechanism::Certificate => Some(None),
        Mechanism::Ntlm if !local => Some(Some(Marks::of(headers))),
        _ => None,
    }
}
