//! A granted request on its way to the application. It counts as use of its session, and a tunnel
//! ends with the session.

use std::sync::Arc;

use http::header::UPGRADE;
use http::{HeaderMap, Request, Response, Uri};
use hyper::body::Body as _;
use tokio_util::sync::CancellationToken;

use crate::config::section::Site;
use crate::front::answer::body::Body;
use crate::front::answer::body::in_use::InUse;
use crate::front::connection::Connection;
use crate::front::connection::body::upload::Upload;
use crate::front::core_link::Grant;
use crate::front::live::Live;
use crate::front::request::facts::Facts;
use crate::front::request::route;
use crate::front::sign_on::certificate;
use crate::front::state::Front;
use crate::front::upstream::{AnswerBody, ForwardContext, Forwarded, UpstreamError};

/// A request that may be made, and everything around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted<'a> {
    pub(super) front: &'a Arc<Front>,
    pub(super) live: &'a Live,
    pub(super) connection: &'a Connection,
    pub(super) facts: &'a Facts,
    pub(super) site: &'a Site,
    pub(super) grant: &'a Grant,
}

impl Granted<'_> {
    /// Passes the request on, and the answer back.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn forward(
        self,
        upstream: &Uri,
        request: Request<Upload>,
    ) -> Result<Response<Body>, UpstreamError> {
        let Self { front, live, connection, facts, site, grant } = self;
        let tunnel = self.watch_tunnel(request.headers());
        let context = ForwardContext {
            grant,
            upstream,
            audience: &route::audience(site, &facts.host),
            client: &connection.client,
            pass_authorization: site.pass_authorization,
            until: tunnel.as_ref(),
        };
        let outcome = tokio::select! {
            biased;
            outcome = live.proxy.forward(request, context) => outcome,
            never = front.core.keep_in_use(&grant.session().session, facts.client) => match never {},
        };
        let answered = match outcome {
            Ok(Forwarded::Tunnel(head)) => return Ok(head.map(|()| Body::of_tunnel())),
            Ok(Forwarded::Answer(answer)) => Ok(answer.map(|body| self.in_use(body))),
            Err(error) => Err(error),
        };
        if let Some(tunnel) = tunnel {
            tunnel.cancel();
        }
        answered
    }

    /// For a request that asks for a tunnel: fires when its session has ended, or the
    /// certificate that the session was opened by is no longer valid.
    fn watch_tunnel(&self, headers: &HeaderMap) -> Option<CancellationToken> {
        let Self { front, connection, facts, grant, .. } = self;
        let session = grant.session();
        if !headers.contains_key(UPGRADE) {
            return None;
        }
        let tunnel = front.core.watch(&session.session, facts.client);
        if let (Some(_), Some(shown)) = (&session.public_key, &connection.certificate) {
            let (front, shown) = (Arc::clone(front), Arc::clone(shown));
            let watching =
                certificate::watch(front, shown, session.session.clone(), tunnel.clone());
            tokio::spawn(watching);
        }
        Some(tunnel)
    }

    /// An answer that lasts is a use of the session for as long.
    fn in_use(&self, answer: AnswerBody) -> Body {
        if answer.is_end_stream() {
            return Body::of_application(answer);
        }
        Body::in_use(InUse::new(answer, &self.front.core, self.grant, self.facts.client))
    }
}
