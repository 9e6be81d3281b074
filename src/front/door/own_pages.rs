//! Doorward's own pages, below `/.doorward/`.

use http::{Method, Request, Response};

use super::forward_auth;
use crate::front::answer::Answerer;
use crate::front::answer::body::Body;
use crate::front::live::Live;
use crate::front::request::cookie::Presented;
use crate::front::request::{facts, route};
use crate::front::sign_on::policy::{self, Policy};
use crate::front::sign_on::{self, Refusal, RequestContext};
use crate::wire::Reason;

/// Answers a request to a page, by its path below `/.doorward/`.
pub(super) async fn answer<B>(
    page: &str,
    context: RequestContext<'_>,
    request: &Request<B>,
    answerer: &Answerer<'_>,
) -> Response<Body> {
    match page.split('/').next().unwrap_or(page) {
        "auth" => forward_auth::auth(context, request.uri(), answerer).await,
        "whoami" => whoami(context, answerer).await,
        "logout" => logout(context, request.method(), answerer).await,
        "jwks.json" => answerer.json(context.live.assertions.jwks()),
        _ => answerer.no_own_page(),
    }
}

async fn whoami(context: RequestContext<'_>, answerer: &Answerer<'_>) -> Response<Body> {
    let RequestContext { live, facts, .. } = context;
    let site = route::site(&live.settings.sites, &facts.host, &facts.path).ok().flatten();
    let policy = site.map_or_else(|| Policy::general(live), |site| Policy::of(live, site));
    match sign_on::authenticate(context, &policy).await {
        Ok(signed_on) => answerer.whoami(&signed_on),
        Err(refusal) => answerer.refuse(&refusal, Some(policy)),
    }
}

async fn logout(
    context: RequestContext<'_>,
    method: &Method,
    answerer: &Answerer<'_>,
) -> Response<Body> {
    let RequestContext { front, live, connection, headers, facts } = context;
    if method != Method::POST {
        return answerer.logout_needs_post();
    }
    if facts::from_another_site(headers, &facts.host) {
        return answerer.refuse(&Refusal::new(Reason::CrossSite), None);
    }
    let presented = Presented::read_both(headers, &facts.host);
    let proven = sign_on::connection::session(context);
    connection.sign_on.begin_attempt();
    let api: &[_] = if takes_api_sessions(live, &facts.host) { &presented.bare } else { &[] };
    let mut failed = None;
    for secret in presented.sessions.iter().chain(api).chain(&proven) {
        if let Err(why) = front.core.end(secret).await {
            failed = Some(why);
        }
    }
    let unread = presented.named > 0 && presented.sessions.is_empty() && api.is_empty();
    match failed {
        Some(failed) => answerer.refuse(&Refusal::from(failed), None),
        None if unread || presented.too_many => answerer.cookie_unreadable(),
        None => answerer.signed_off(),
    }
}

/// Whether sessions that a program has opened at the core are shown in cookies
/// anywhere at this host.
fn takes_api_sessions(live: &Live, host: &str) -> bool {
    let sites = route::of_host(&live.settings.sites, host).map(|site| &site.mechanisms);
    sites.chain([&live.settings.sso.mechanisms]).any(|list| policy::takes_api_sessions(list))
}
