//! Gathers what is known of a refused request, for [`super::advice`].

use std::net::SocketAddr;

use super::advice::{Advice, Known, advise};
use crate::config::section::{ChannelBinding, Site};
use crate::front::readiness::Services;
use crate::front::request::came::Came;
use crate::front::request::facts::Facts;
use crate::front::request::route;
use crate::front::sign_on::Refusal;
use crate::front::sign_on::policy::Policy;
use crate::front::state::Front;
use crate::wire::Mechanism;

/// What can be said of a refusal beyond its reason.
pub(in crate::front) fn words_for(
    front: &Front,
    facts: Option<&Facts>,
    came: Came,
    refusal: &Refusal,
    policy: Option<&Policy<'_>>,
) -> Advice {
    let live = front.live();
    let seen = front.readiness.seen();
    let untrusted = facts.filter(|facts| !facts.trusted);
    let lists_ntlm = policy.is_some_and(|policy| {
        policy.mechanisms.contains(&Mechanism::Ntlm) && !policy.offers(Mechanism::Ntlm)
    });
    let ntlm_fails = || live.ntlm.as_ref().is_some_and(|ntlm| ntlm.ready().is_err());
    let https = live.settings.front.listen_tls.iter().map(SocketAddr::port);
    let services = seen.as_ref().and_then(|seen| seen.services());
    let known = Known {
        host: facts.map_or("", |facts| &facts.host),
        port: came.port,
        secure: facts.is_some_and(|facts| facts.secure),
        https_port: https.into_iter().find(|port| *port != 0),
        peer: untrusted.map(|facts| facts.client),
        mark: untrusted.and(came.mark),
        mechanisms: policy.map_or(&[], |policy| policy.mechanisms),
        bound: policy.is_some_and(|policy| policy.channel_binding == ChannelBinding::Require),
        ntlm_is_off: lists_ntlm && ntlm_fails(),
        ntlm_worked: front.readiness.ntlm_worked(),
        services,
        better: better_name(services, &live.settings.sites, facts.map_or("", |facts| &facts.host)),
        clock: front.readiness.clock(),
        ended: refusal.ended,
    };
    advise(refusal.reason, &known)
}

/// The name by which to come instead: none that leads to no site.
fn better_name<'a>(services: Option<&'a Services>, sites: &[Site], host: &str) -> Option<&'a str> {
    let name = services?.better_name(host)?;
    route::of_host(sites, name).next().map(|_| name)
}
