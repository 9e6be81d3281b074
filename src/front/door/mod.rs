//! What the front does with a request: its facts, its site, who is there, and
//! then the application. Nothing here writes a response; `answer` does.

use std::sync::Arc;
use std::time::Instant;

use http::header::{STRICT_TRANSPORT_SECURITY, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Body as _;

pub(in crate::front) mod forward_auth;
mod head;
pub(in crate::front) mod status;
pub(in crate::front) mod unread;

use super::answer::Answerer;
use super::body::Body;
use super::connection::Connection;
use super::upstream::Passage;
use super::{Front, Live};
use crate::clock;
use crate::config::checked::Site;
use crate::front::body::in_use::InUse;
use crate::front::connection::body::upload::Upload;
use crate::front::cookie::Presented;
use crate::front::request::facts::{self, Facts};
use crate::front::request::route;
use crate::front::sign_on::policy::{self, Policy};
use crate::front::sign_on::{
    self, NoEntry, NotPermitted, Refusal, RequestContext, SignedOn, certificate, require,
};
use crate::wire::Reason;

const SWITCHING_PROTOCOLS: StatusCode = StatusCode::SWITCHING_PROTOCOLS;

/// RFC 6797: no plain HTTP with this host, for a year.
const ONE_YEAR: &str = "max-age=31536000";

/// Doorward's own paths stand below this.
const OWN: &str = "/.doorward/";

/// Answers one request, whatever happens.
pub(in crate::front) async fn answer(
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
    if facts.shared {
        connection.share();
    }
    let answerer = answerer.with(&facts);
    answerer.notice_proxy();
    tracing::debug!(
        host = facts.host,
        path = facts.path,
        client = %facts.client,
        tls = facts.secure,
        http2 = facts.http2,
        proxied = facts.shared,
        "a request"
    );
    let context =
        RequestContext { front, live, connection, headers: request.headers(), facts: &facts };
    if let Some(own) = facts.path.strip_prefix(OWN) {
        return match own.split('/').next().unwrap_or(own) {
            "auth" => forward_auth::auth(context, request.uri(), &answerer).await,
            "whoami" => whoami(context, &answerer).await,
            "logout" => logout(context, request.method(), &answerer).await,
            "jwks.json" => answerer.json(live.assertions.jwks()),
            _ => answerer.no_own_page(),
        };
    }
    let site = match route::site(&live.settings.sites, &facts.host, &facts.path) {
        Ok(Some(site)) => site,
        Ok(None) => return answerer.refuse(&Refusal::new(Reason::NoSite), None),
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    let named =
        if facts.trusted { facts::forwarded_hosts(request.headers()) } else { Ok(Vec::new()) };
    match named {
        Ok(hosts) if !route::is_contradicted(&live.settings.sites, site, &facts.path, &hosts) => {}
        _ => return answerer.refuse(&Refusal::new(Reason::ForwardedConflict), None),
    }
    let policy = Policy::of(live, site);
    let signed_on = match enter(context, site, &policy).await {
        Ok(signed_on) => signed_on,
        Err(NoEntry::NotSignedOn(refusal))
            if certificate::is_misdirected(context, &policy, &refusal) =>
        {
            return answerer.refuse(&Refusal::new(Reason::Misdirected), None);
        }
        Err(no) => return answerer.no_entry(&no, policy),
    };
    let Some(upstream) = &site.upstream else {
        return answerer.no_application(&signed_on);
    };
    let tunnel = request
        .headers()
        .contains_key(UPGRADE)
        .then(|| front.core.watch(&signed_on.grant.session().session, facts.client));
    if let (Some(tunnel), Some(_), Some(shown)) =
        (&tunnel, &signed_on.grant.session().public_key, &connection.certificate)
    {
        let session = signed_on.grant.session().session.clone();
        let watching =
            certificate::watch(Arc::clone(front), Arc::clone(shown), session, tunnel.clone());
        tokio::spawn(watching);
    }
    let passage = Passage {
        grant: &signed_on.grant,
        upstream,
        audience: &route::audience(site, &facts.host),
        client: &connection.client,
        pass_authorization: site.pass_authorization,
        until: tunnel.as_ref(),
    };
    let session = &signed_on.grant.session().session;
    let outcome = tokio::select! {
        biased;
        outcome = live.proxy.forward(request, passage) => outcome,
        never = front.core.keep_in_use(session, facts.client) => match never {},
    };
    let switched = outcome.as_ref().is_ok_and(|answer| answer.status() == SWITCHING_PROTOCOLS);
    if let Some(tunnel) = tunnel.filter(|_| !switched) {
        tunnel.cancel();
    }
    match outcome {
        Ok(response) => {
            let response = response.map(|body| match body {
                Body::Answer(answer) if !answer.is_end_stream() => {
                    let used = InUse::new(answer, &front.core, &signed_on.grant, facts.client);
                    Body::InUse(Box::new(used))
                }
                short => short,
            });
            answerer.signed_on(response, &signed_on)
        }
        Err(error) => answerer.application_failed(&error, &signed_on),
    }
}

/// Who is there, and may they use the site?
async fn enter(
    context: RequestContext<'_>,
    site: &Site,
    policy: &Policy<'_>,
) -> Result<SignedOn, NoEntry> {
    let signed_on = sign_on::authenticate(context, policy).await?;
    let user = &signed_on.grant.session().user;
    if require::satisfied(&site.require, user) {
        return Ok(signed_on);
    }
    let detail = require::unmet(&site.require, user);
    Err(NoEntry::NotPermitted(NotPermitted { signed_on, detail }))
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
    connection.begin_attempt();
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
