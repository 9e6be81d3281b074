//! What the front does with a request: its facts, its site, who is there, and
//! then the application. Nothing here writes a response; `answer` does.

use std::sync::Arc;
use std::time::Instant;

use http::header::{STRICT_TRANSPORT_SECURITY, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};

mod advice;
pub mod answer;
mod came;
pub mod certificate;
pub mod cookie;
pub mod facts;
pub mod forward_auth;
mod head;
pub mod pages;
mod password;
mod record;
pub mod require;
pub mod route;
pub mod sign_on;
mod status;
pub mod unread;

use self::answer::Answerer;
use self::facts::Facts;
use self::sign_on::{Policy, Present, Refusal, Visit};
use super::body::Body;
use super::connection::Connection;
use super::upload::Upload;
use super::upstream::Passage;
use super::{Front, Live};
use crate::clock;
use crate::config::checked::Site;
use crate::wire::Reason;

const SWITCHING_PROTOCOLS: StatusCode = StatusCode::SWITCHING_PROTOCOLS;

/// RFC 6797: no plain HTTP with this host, for a year.
const ONE_YEAR: &str = "max-age=31536000";

/// Doorward's own paths stand below this.
const OWN: &str = "/.doorward/";

/// Answers one request, whatever happens.
pub async fn answer(
    front: Arc<Front>,
    connection: &Connection,
    request: Request<Upload>,
) -> Response<Body> {
    let began = clock::instant();
    let live = front.live();
    let mut response = handle(&front, &live, connection, request, began).await;
    if connection.is_tls() && live.settings.front.listen.is_empty() {
        // Where there is no plain HTTP, browsers need not try it. An application may say otherwise.
        let headers = response.headers_mut();
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static(ONE_YEAR));
    }
    front.metrics.request_seconds.observe(began.elapsed().as_secs_f64());
    front.metrics.answered(response.status());
    response
}

async fn handle(
    front: &Arc<Front>,
    live: &Live,
    connection: &Connection,
    request: Request<Upload>,
    began: Instant,
) -> Response<Body> {
    let answerer = Answerer::new(front, &request, began);
    if let Err(refusal) = head::check(&request, live) {
        front.metrics.head_refused(refusal.reason);
        return answerer.refuse(&refusal, None);
    }
    let facts = match Facts::read(&request, connection, &live.settings.front) {
        Ok(facts) => facts,
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    let answerer = answerer.with(&facts);
    answerer.notice_proxy();
    let visit = Visit { front, live, connection, headers: request.headers(), facts: &facts };
    if let Some(own) = facts.path.strip_prefix(OWN) {
        return match own.split('/').next().unwrap_or(own) {
            "auth" => forward_auth::auth(visit, request.uri(), &answerer).await,
            "whoami" => whoami(visit, &answerer).await,
            "logout" => logout(visit, request.method(), &answerer).await,
            "jwks.json" => answerer.json(live.assertions.jwks()),
            _ => answerer.no_own_page(),
        };
    }
    let site = match route::site(&live.settings.sites, &facts.host, &facts.path) {
        Ok(Some(site)) => site,
        Ok(None) => return answerer.refuse(&Refusal::new(Reason::NoSite), None),
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    let policy = Policy::of(live, site);
    let present = match enter(visit, site, &policy).await {
        Ok(present) => present,
        Err(refusal) if certificate::is_misdirected(visit, &policy, &refusal) => {
            return answerer.refuse(&Refusal::new(Reason::Misdirected), None);
        }
        Err(refusal) => return answerer.refuse(&refusal, Some(policy)),
    };
    let Some(upstream) = &site.upstream else {
        return answerer.no_application(&present);
    };
    let tunnel = request
        .headers()
        .contains_key(UPGRADE)
        .then(|| front.core.watch(&present.grant.session().session, facts.client));
    if let (Some(tunnel), Some(_), Some(shown)) =
        (&tunnel, &present.grant.session().public_key, &connection.certificate)
    {
        let session = present.grant.session().session.clone();
        let watching =
            certificate::watch(Arc::clone(front), Arc::clone(shown), session, tunnel.clone());
        tokio::spawn(watching);
    }
    let passage = Passage {
        grant: &present.grant,
        upstream,
        audience: &facts.host,
        client: &connection.client,
        pass_authorization: site.pass_authorization,
        until: tunnel.as_ref(),
    };
    let outcome = live.proxy.forward(request, passage).await;
    let switched = outcome.as_ref().is_ok_and(|answer| answer.status() == SWITCHING_PROTOCOLS);
    if let Some(tunnel) = tunnel.filter(|_| !switched) {
        tunnel.cancel();
    }
    match outcome {
        Ok(response) => answerer.signed_on(response, &present),
        Err(error) => answerer.application_failed(&error, &present),
    }
}

/// Who is there, and may they use the site?
async fn enter(visit: Visit<'_>, site: &Site, policy: &Policy<'_>) -> Result<Present, Refusal> {
    let present = sign_on::who(visit, policy).await?;
    let user = &present.grant.session().user;
    if require::satisfied(&site.require, user) {
        return Ok(present);
    }
    let detail = require::unmet(&site.require, user);
    Err(Refusal::not_permitted(present, detail))
}

async fn whoami(visit: Visit<'_>, answerer: &Answerer<'_>) -> Response<Body> {
    let Visit { live, facts, .. } = visit;
    let site = route::site(&live.settings.sites, &facts.host, &facts.path).ok().flatten();
    let policy = site.map_or_else(|| Policy::general(live), |site| Policy::of(live, site));
    match sign_on::who(visit, &policy).await {
        Ok(present) => answerer.whoami(&present),
        Err(refusal) => answerer.refuse(&refusal, Some(policy)),
    }
}

async fn logout(visit: Visit<'_>, method: &Method, answerer: &Answerer<'_>) -> Response<Body> {
    let Visit { front, connection, headers, facts, .. } = visit;
    if method != Method::POST {
        return answerer.logout_needs_post();
    }
    if facts::from_another_site(headers, &facts.host) {
        return answerer.refuse(&Refusal::new(Reason::CrossSite), None);
    }
    let cookie = cookie::session_id(headers, facts.secure);
    let bound = connection.session();
    connection.begin_attempt();
    for id in cookie.into_iter().chain(bound.as_deref()) {
        if let Err(failed) = front.core.end(id).await {
            return answerer.refuse(&Refusal::from(failed), None);
        }
    }
    answerer.signed_off()
}
