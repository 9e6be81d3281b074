//! What happens to a request: it is refused because of its head, gets one of Doorward's own pages,
//! or goes to its site. `answer` writes all responses.

use std::sync::Arc;
use std::time::Instant;

use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderValue, Request, Response};

mod forward;
mod forward_auth;
mod head;
mod own_pages;
mod site;
pub(in crate::front) mod status;
mod unread;

use super::answer::Answerer;
use super::answer::body::Body;
use super::connection::Connection;
use super::connection::body::upload::Upload;
use super::connection::serve::service::Service;
use super::connection::serve::unread::Unread;
use super::live::Live;
use super::request::came::Came;
use super::request::facts::Facts;
use super::sign_on::{Refusal, RequestContext};
use super::state::Front;
use crate::{clock, hsts};

/// Doorward's own paths stand below this.
const OWN: &str = "/.doorward/";

/// Answers the requests of the front's connections.
#[derive(Clone, Debug)]
pub(in crate::front) struct Door(Arc<Front>);

impl Door {
    /// The door of a running front.
    pub(in crate::front) fn new(front: &Arc<Front>) -> Self {
        Self(Arc::clone(front))
    }
}

impl Service for Door {
    type Answer = Body;

    async fn answer(self, connection: &Connection, request: Request<Upload>) -> Response<Body> {
        let Self(front) = self;
        let began = clock::instant();
        let live = front.live();
        let mut response = handle(&front, &live, connection, request, began).await;
        if connection.is_tls() && live.settings.front.listen.is_empty() {
            // Where there is no plain HTTP, browsers need not try it. An application may say otherwise.
            let headers = response.headers_mut();
            let value = HeaderValue::from_static(hsts::ONE_YEAR);
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(value);
        }
        front.metrics.request_seconds.observe(began.elapsed().as_secs_f64());
        front.metrics.answered(response.status());
        response
    }

    async fn answer_unread(&self, unread: &Unread) -> Vec<u8> {
        unread::answer(&self.0, unread).await
    }
}

async fn handle(
    front: &Arc<Front>,
    live: &Live,
    connection: &Connection,
    request: Request<Upload>,
    began: Instant,
) -> Response<Body> {
    let came = Came::read(&request);
    let answerer = Answerer::new(front, &request, came, began);
    if let Err(refusal) = head::check(&request, live) {
        front.metrics.head_refused(refusal.reason);
        return answerer.refuse(&refusal, None);
    }
    let facts = match Facts::read(&request, connection, &live.settings.front) {
        Ok(facts) => facts,
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    if facts.shared {
        connection.sign_on.share();
    }
    let answerer = answerer.with(&facts);
    if let Some(mark) = came.mark.filter(|_| !facts.trusted) {
        front.unlisted.saw(facts.client, mark, &front.metrics);
    }
    tracing::debug!(
        host = facts.host,
        path = facts.path,
        client = %facts.client,
        tls = facts.secure,
        http2 = facts.http2,
        proxied = facts.shared,
        "a request"
    );
    match facts.path.strip_prefix(OWN) {
        Some(page) => {
            let headers = request.headers();
            let context = RequestContext { front, live, connection, headers, facts: &facts };
            own_pages::answer(page, context, &request, &answerer).await
        }
        None => site::answer(front, live, connection, &facts, request, &answerer).await,
    }
}
