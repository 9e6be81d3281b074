//! A request to a site: which one, and who may use it.

use std::sync::Arc;

use http::{HeaderMap, Request, Response};

use super::forward::Granted;
use crate::config::section::Site;
use crate::front::answer::Answerer;
use crate::front::answer::body::Body;
use crate::front::connection::Connection;
use crate::front::connection::body::upload::Upload;
use crate::front::live::Live;
use crate::front::request::facts::{Facts, forwarded_hosts};
use crate::front::request::route;
use crate::front::sign_on::policy::Policy;
use crate::front::sign_on::{
    NoEntry, NotPermitted, Refusal, RequestContext, SignedOn, authenticate, certificate, require,
};
use crate::front::state::Front;
use crate::wire::Reason;

/// Answers a request to a site: by its application, if its sender may use it.
pub(super) async fn answer(
    front: &Arc<Front>,
    live: &Live,
    connection: &Connection,
    facts: &Facts,
    request: Request<Upload>,
    answerer: &Answerer<'_>,
) -> Response<Body> {
    let site = match find(&live.settings.sites, facts, request.headers()) {
        Ok(site) => site,
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    let policy = Policy::of(live, site);
    let context = RequestContext { front, live, connection, headers: request.headers(), facts };
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
        return answerer.signed_on(answerer.no_application(), &signed_on);
    };
    let granted = Granted { front, live, connection, facts, site, grant: &signed_on.grant };
    match granted.forward(upstream, request).await {
        Ok(response) => answerer.signed_on(response, &signed_on),
        Err(error) => answerer.application_failed(&error, &signed_on),
    }
}

/// The site that a request is for.
///
/// # Errors
/// There is none, or the request can be read as one for another.
fn find<'a>(sites: &'a [Site], facts: &Facts, headers: &HeaderMap) -> Result<&'a Site, Reason> {
    let site = route::site(sites, &facts.host, &facts.path)?.ok_or(Reason::NoSite)?;
    let named = if facts.trusted { forwarded_hosts(headers) } else { Ok(Vec::new()) };
    match named {
        Ok(hosts) if !route::is_contradicted(sites, site, &facts.path, &hosts) => Ok(site),
        _ => Err(Reason::ForwardedConflict),
    }
}

/// Who is there, and may they use the site?
pub(super) async fn enter(
    context: RequestContext<'_>,
    site: &Site,
    policy: &Policy<'_>,
) -> Result<SignedOn, NoEntry> {
    let signed_on = authenticate(context, policy).await?;
    let user = &signed_on.grant.session().user;
    if require::satisfied(&site.require, user) {
        return Ok(signed_on);
    }
    let detail = require::unmet(&site.require, user);
    Err(NoEntry::NotPermitted(NotPermitted { signed_on, detail }))
}
