//! Passes a granted request to its application, and the answer back.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, UPGRADE};
use http::uri::{Authority, PathAndQuery};
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version, request};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use super::connection::answer_body::AnswerBody;
use super::connection::pool::{Application, OddAddress};
use super::connection::{Unanswered, UpstreamConnection};
use super::error::{UpstreamError, broken, is_gone};
use super::head::assertion::Assertions;
use super::head::rules::{self, HeaderRules};
use super::request_body::RequestBody;
use super::stall::Stall;
use super::upgrade::Upgrade;
use crate::clock;
use crate::config::section::{Front, HeaderNames, Site};
use crate::front::connection::body::upload::Upload;
use crate::front::connection::client::Client;
use crate::front::core_link::Grant;
use crate::wire::reference::new_reference;

/// The applications, and how they are spoken with.
#[derive(Debug)]
pub(in crate::front) struct Proxy {
    applications: HashMap<Authority, Arc<Application>>,
    names: HeaderNames,
    rules: Arc<HeaderRules>,
    assertions: Arc<Assertions>,
    limits: Limits,
    /// By this value of [`HOP`] the gateway knows a request that it has passed on itself.
    mark: HeaderValue,
}

/// Each gateway that a request has passed leaves its mark here.
const HOP: HeaderName = HeaderName::from_static("doorward-hop");

/// More gateways than this are a loop through others.
const MAX_HOPS: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Limits {
    connect: Duration,
    answer: Duration,
    body: Duration,
    tunnel: Duration,
}

/// What is known of a request besides itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct ForwardContext<'a> {
    /// The leave to use the site.
    pub grant: &'a Grant,
    /// `site.upstream`
    pub upstream: &'a Uri,
    /// Whom the assertion is for: the site's host name.
    pub audience: &'a str,
    /// Who is at the other end of the connection.
    pub client: &'a Client,
    /// `site.pass_authorization`
    pub pass_authorization: bool,
    /// A tunnel ends when this is cancelled, and cancels it when it ends by itself; without it there is none.
    pub until: Option<&'a CancellationToken>,
}

/// What an application made of a request.
#[derive(Debug)]
pub(in crate::front) enum Forwarded {
    /// An answer. The head is here; the body arrives while it is read.
    Answer(Response<AnswerBody>),
    /// It speaks another protocol with the client from here on: the head that says so.
    Tunnel(Response<()>),
}

impl Proxy {
    /// A proxy for the applications of these sites; `cookies` are our own.
    ///
    /// # Errors
    /// An application's address cannot be one.
    pub(in crate::front) fn new(
        front: &Front,
        sites: &[Site],
        cookies: &[&str],
        assertions: Arc<Assertions>,
    ) -> Result<Self, OddAddress> {
        let mut applications = HashMap::new();
        for uri in sites.iter().filter_map(|site| site.upstream.as_ref()) {
            let application = Arc::new(Application::new(uri)?);
            if let Some(authority) = uri.authority() {
                applications.entry(authority.clone()).or_insert(application);
            }
        }
        Ok(Self {
            applications,
            names: front.headers.clone(),
            rules: Arc::new(HeaderRules::new(&front.headers, cookies)),
            assertions,
            limits: Limits {
                connect: front.connect_timeout,
                answer: front.answer_timeout,
                body: front.body_timeout,
                tunnel: front.tunnel_timeout,
            },
            // Letters and digits, as any header may hold.
            mark: HeaderValue::from_str(&new_reference())
                .unwrap_or(HeaderValue::from_static("doorward")),
        })
    }

    /// Whether a request has passed this gateway before: an application that is
    /// the gateway itself would send it round for ever.
    pub(in crate::front) fn has_passed(&self, headers: &HeaderMap) -> bool {
        let hops = headers.get_all(HOP);
        hops.iter().any(|hop| *hop == self.mark) || hops.iter().nth(MAX_HOPS).is_some()
    }

    /// The rules by which headers are removed.
    pub(in crate::front) fn rules(&self) -> &HeaderRules {
        &self.rules
    }

    /// Passes a request on. Its answer comes as soon as its head has arrived;
    /// both bodies flow on while they are read.
    ///
    /// # Errors
    /// There is no answer; [`UpstreamError`] says whose fault that is.
    pub(in crate::front) async fn forward(
        &self,
        mut request: Request<Upload>,
        context: ForwardContext<'_>,
    ) -> Result<Forwarded, UpstreamError> {
        let application = context
            .upstream
            .authority()
            .and_then(|authority| self.applications.get(authority))
            .ok_or_else(|| UpstreamError::Unknown(context.upstream.clone()))?;
        let upgrade = Upgrade::wanted(&mut request);
        let (mut head, body) = request.into_parts();
        self.prepare(&mut head, application, &context)?;
        if let Some(upgrade) = &upgrade {
            upgrade.ask(&mut head.headers);
        }
        let (body, upload) = RequestBody::new(body, &self.rules, self.limits.body);
        if body.is_empty() && sends_content(&head.method) {
            // HTTP/2 ends a body without a word about its length (RFC 9110 section 8.6).
            head.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        let request = Request::from_parts(head, body);
        let (answer, connection) = self.exchange(application, request, upload.as_deref()).await?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let head = self.switch(application, answer, connection, upgrade, context.until)?;
            Ok(Forwarded::Tunnel(head))
        } else if let Some(coding) = rules::foreign_coding(answer.headers()) {
            let coding = coding.as_bytes().escape_ascii().to_string();
            Err(UpstreamError::Coding { address: application.address().clone(), coding })
        } else {
            Ok(Forwarded::Answer(self.answer(application, answer, connection)))
        }
    }

    /// Sets the identity headers and the assertion for a site: here for an
    /// application, in forward-auth for the proxy that asks.
    ///
    /// # Errors
    /// [`UpstreamError::Unsendable`]: no header can hold the name.
    pub(in crate::front) fn identify(
        &self,
        headers: &mut HeaderMap,
        grant: &Grant,
        audience: &str,
    ) -> Result<(), UpstreamError> {
        grant.identity_headers(&self.names).map_err(Clone::clone)?.apply(headers);
        if let Some(assertion) = self.assertions.for_site(grant, audience, clock::now()) {
            headers.insert(self.names.assertion.clone(), assertion);
        }
        Ok(())
    }

    /// Makes of a client's request head the one that the application gets.
    fn prepare(
        &self,
        head: &mut request::Parts,
        application: &Application,
        context: &ForwardContext<'_>,
    ) -> Result<(), UpstreamError> {
        if matches!(head.method, Method::CONNECT | Method::TRACE) {
            return Err(UpstreamError::Method(head.method.clone()));
        }
        set_host(head, application);
        let headers = &mut head.headers;
        self.rules.strip_request(headers, context.client.is_trusted(), context.pass_authorization);
        context.client.announce(headers);
        self.identify(headers, context.grant, context.audience)?;
        headers.append(HOP, self.mark.clone());
        head.version = Version::HTTP_11;
        head.extensions = Extensions::new();
        Ok(())
    }

    /// Sends a request on a parked connection or a new one, and waits for the
    /// head of its answer. A parked connection may have ended meanwhile: what
    /// was not sent on it at all is sent again, and so is what may be done
    /// twice (RFC 9110 section 9.2.2).
    async fn exchange(
        &self,
        application: &Arc<Application>,
        mut request: Request<RequestBody>,
        upload: Option<&AtomicBool>,
    ) -> Result<(Response<Incoming>, Box<UpstreamConnection>), UpstreamError> {
        if let Some(mut connection) = application.take() {
            let copy = repeatable(&request);
            match self.send(application, &mut connection, request, upload).await? {
                Ok(answer) => return Ok((answer, connection)),
                Err(Unanswered { error, unsent }) => {
                    let again = unsent.or_else(|| copy.filter(|_| is_gone(&error)));
                    request = again.ok_or_else(|| failed(application, connection, error))?;
                }
            }
        }
        let mut connection = application.connect(self.limits.connect).await?;
        match self.send(application, &mut connection, request, upload).await? {
            Ok(answer) => Ok((answer, connection)),
            Err(Unanswered { error, .. }) => Err(failed(application, connection, error)),
        }
    }

    /// Sends a request. The time for its answer runs anew while its body arrives.
    async fn send(
        &self,
        application: &Application,
        connection: &mut UpstreamConnection,
        request: Request<RequestBody>,
        upload: Option<&AtomicBool>,
    ) -> Result<Result<Response<Incoming>, Unanswered>, UpstreamError> {
        let mut stall = Stall::new(self.limits.answer);
        let mut sending = pin!(connection.send(request));
        poll_fn(|cx| {
            if let Poll::Ready(outcome) = sending.as_mut().poll(cx) {
                return Poll::Ready(Ok(outcome));
            }
            if upload.is_some_and(|moved| moved.swap(false, Ordering::Relaxed)) {
                stall.moved();
            }
            stall.poll(cx).map(|()| {
                let (address, limit) = (application.address().clone(), self.limits.answer);
                Err(UpstreamError::AnswerTimeout { address, limit })
            })
        })
        .await
    }

    fn answer(
        &self,
        application: &Arc<Application>,
        answer: Response<Incoming>,
        connection: Box<UpstreamConnection>,
    ) -> Response<AnswerBody> {
        let (mut head, body) = answer.into_parts();
        self.rules.strip_answer(&mut head.headers);
        head.version = Version::HTTP_11;
        let body = AnswerBody::new(body, connection, application, &self.rules, self.limits.body);
        Response::from_parts(head, body)
    }

    /// The application speaks another protocol from here on.
    fn switch(
        &self,
        application: &Application,
        answer: Response<Incoming>,
        connection: Box<UpstreamConnection>,
        upgrade: Option<Upgrade>,
        until: Option<&CancellationToken>,
    ) -> Result<Response<()>, UpstreamError> {
        let (mut head, _) = answer.into_parts();
        let protocol = head.headers.get(UPGRADE).cloned();
        let (Some(upgrade), Some(protocol), Some(until)) = (upgrade, protocol, until) else {
            return Err(UpstreamError::UnaskedUpgrade { address: application.address().clone() });
        };
        if !upgrade.allows(&protocol) {
            return Err(UpstreamError::UnaskedUpgrade { address: application.address().clone() });
        }
        self.rules.strip_answer(&mut head.headers);
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, protocol);
        head.version = Version::HTTP_11;
        tokio::spawn(upgrade.tunnel(connection, self.limits.tunnel, until.clone()));
        Ok(Response::from_parts(head, ()))
    }
}

/// What it means that there is no answer on a connection.
fn failed(
    application: &Application,
    connection: Box<UpstreamConnection>,
    error: hyper::Error,
) -> UpstreamError {
    let address = application.address();
    if error.is_parse() {
        UpstreamError::OddHead { address: Arc::clone(address), fault: connection.odd_head() }
    } else {
        broken(address, error)
    }
}

/// Whether a request by this method means something by its content, so that its
/// length is said even where there is none.
fn sends_content(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Passes on the host that the client asked for, in the form of HTTP/1.1: a
/// target that names one goes before the header (RFC 9112 section 3.2.2).
fn set_host(head: &mut request::Parts, application: &Application) {
    if let Some(authority) = head.uri.authority() {
        let host = authority.as_str();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        // An authority is made of characters that a header may hold.
        if let Ok(host) = HeaderValue::from_str(host) {
            head.headers.insert(HOST, host);
        }
        let path = head.uri.path_and_query().cloned();
        head.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    } else if !head.headers.contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(application.address())
    {
        head.headers.insert(HOST, host);
    }
}

/// A copy of a request that may be sent twice: a safe or idempotent one without a body.
fn repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.method().is_idempotent() || !request.body().is_empty() {
        return None;
    }
    let mut copy = Request::new(RequestBody::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}
