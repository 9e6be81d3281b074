//! Client certificates on a connection: whether one signs the client on, and how long its session
//! may be used.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::open::open;
use super::policy::Policy;
use super::{Refusal, RequestContext, SignedOn};
use crate::clock;
use crate::front::core_link::Grant;
use crate::front::live::Live;
use crate::front::state::Front;
use crate::mechanism::{self, Outcome};
use crate::pki::peer::presented::{PresentedCertificate, ProvenCertificate};
use crate::wire::reason::Fault;
use crate::wire::{Denied, Mechanism, Reason, SessionSecret};

/// The certificate that the client itself showed, where one may sign on by it. A
/// proxy's connection shows the proxy's, and what is in headers is never read.
pub(super) fn of_client<'a>(
    context: RequestContext<'a>,
    policy: &Policy<'_>,
) -> Option<&'a Arc<PresentedCertificate>> {
    let may = policy.offers(Mechanism::Certificate) && !context.facts.shared;
    context.connection.certificate.as_ref().filter(|_| may)
}

/// Whether a client was refused only because its connection was made for a name
/// that nobody is asked for a certificate under. A new one for this host would be
/// asked (RFC 9110 section 15.5.20). Where there are other ways in, only HTTP/2 is
/// told so: browsers put several hosts on one connection there.
pub(in crate::front) fn is_misdirected(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    refusal: &Refusal,
) -> bool {
    let RequestContext { live, connection, facts, .. } = context;
    let asked = &connection.asked;
    let may_be_asked = connection.is_tls()
        && !facts.shared
        && !asked.for_certificate
        && policy.offers(Mechanism::Certificate)
        && live.tls.as_ref().is_some_and(|tls| tls.clients().is_some());
    let lacks_one =
        refusal.reason.fault() == Fault::Nobody || refusal.reason == Reason::CertificateNotShown;
    let other_name = asked.name.as_ref().is_some_and(|name| *name != facts.host);
    may_be_asked
        && lacks_one
        && (policy.asks_for_nothing()
            || refusal.reason == Reason::CertificateNotShown
            || (facts.http2 && other_name && refusal.tried.is_none()))
}

/// By the certificate that the client showed.
pub(super) async fn by_certificate(
    context: RequestContext<'_>,
    shown: &Arc<PresentedCertificate>,
) -> Result<SignedOn, Refusal> {
    let validated = validate(context.live, shown).await;
    match mechanism::certificate::prove(shown, validated) {
        Outcome::Proven { proof, .. } => open(context, proof, None).await,
        Outcome::Refused(refused) => Err(refused.into()),
    }
}

/// Why nobody is signed on: the client did show a certificate that counts, on a connection
/// that is taken for a proxy's, where none does. Otherwise the reason stays.
pub(super) async fn by_proxy(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    why: Refusal,
) -> Refusal {
    let about = [Reason::NoCredentials, Reason::NoCertificate, Reason::CertificateNotShown];
    let shown = context.connection.certificate.as_ref();
    let Some(shown) = shown.filter(|_| policy.offers(Mechanism::Certificate)) else { return why };
    if !context.facts.shared
        || !about.contains(&why.reason)
        || validate(context.live, shown).await.is_err()
    {
        return why;
    }
    let peer = context.connection.peer;
    let detail = if context.facts.trusted {
        format!("{peer} is in trusted_proxies; remove it, if no proxy connects from there")
    } else {
        format!("a request from {peer} has Via or a forwarding header, which proxies add")
    };
    Refusal::tried(Mechanism::Certificate, Reason::CertificateByProxy).with_detail(detail)
}

/// The certificate, where it counts now and the client holds its key.
///
/// # Errors
/// It does not count, and why.
async fn validate<'a>(
    live: &Live,
    shown: &'a Arc<PresentedCertificate>,
) -> Result<&'a ProvenCertificate, Denied> {
    match live.tls.as_ref().and_then(|tls| tls.clients()) {
        Some(clients) => clients.validate(shown).await,
        None => Err(Denied {
            reason: Reason::CertificateNoChain,
            detail: "no site asks for certificates any more".to_owned(),
        }),
    }
}

/// A session that was opened by certificate counts only on connections that
/// show it, and as long as it counts itself: a cookie alone opens nothing. When
/// it is no longer valid, the session ends.
///
/// # Errors
/// The session does not count here.
pub(super) async fn accepts_session(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    grant: &Grant,
) -> Result<(), Refusal> {
    let session = grant.session();
    let Some(public_key) = session.public_key else { return Ok(()) };
    let is_its_own = |shown: &PresentedCertificate| {
        shown.proven().is_ok_and(|certificate| certificate.public_key() == public_key)
    };
    let Some(shown) = of_client(context, policy).filter(|shown| is_its_own(shown)) else {
        return Err(Refusal::new(Reason::CertificateNotShown));
    };
    let Err(Denied { reason, detail }) = validate(context.live, shown).await else {
        return Ok(());
    };
    end(context.front, &session.session, reason).await;
    Err(Refusal::tried(Mechanism::Certificate, reason).with_detail(detail))
}

/// For a tunnel, which no further request follows: ends its session as soon as
/// the certificate is no longer valid.
pub(in crate::front) async fn watch(
    front: Arc<Front>,
    shown: Arc<PresentedCertificate>,
    session: SessionSecret,
    tunnel: CancellationToken,
) {
    while tunnel.run_until_cancelled(clock::pause(EVERY)).await.is_some() {
        if let Err(Denied { reason, .. }) = validate(&front.live(), &shown).await {
            end(&front, &session, reason).await;
            tunnel.cancel();
        }
    }
}

async fn end(front: &Front, session: &SessionSecret, reason: Reason) {
    tracing::info!(%reason, "a session ends, because its certificate is no longer accepted");
    if let Err(no) = front.core.end(session).await {
        tracing::warn!(reason = %no.reason, detail = no.detail, "the session of a certificate could not be ended");
    }
}

/// How often a tunnel's certificate is validated.
const EVERY: Duration = Duration::from_secs(1);
