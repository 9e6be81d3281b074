//! Kept connections to the core.

use std::fmt::Display;
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;

use super::ClientError;
use super::target::Target;

type Connection = SendRequest<Full<Bytes>>;

/// The connections to one core; each carries one call at a time.
#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    idle: Mutex<Vec<Connection>>,
    slots: Semaphore,
}

impl Pool {
    /// `connections` calls run at once, and as many connections are kept.
    pub(super) fn new(target: Target, connections: usize) -> Self {
        Self { target, idle: Mutex::default(), slots: Semaphore::new(connections) }
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// One request and its whole answer, on a kept connection where one is left.
    ///
    /// A kept connection may have been closed by the core meanwhile, or broken
    /// with it; the request is then sent again. No verb of the API suffers from
    /// that: a session opened twice ends by itself when nobody claims it, and
    /// ending one twice is told as `end_of_session`.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let _slot = self.slots.acquire().await;
        while let Some(kept) = self.take() {
            if let Ok(answer) = self.exchange(kept, request(&method, path, body.clone())).await {
                return Ok(answer);
            }
        }
        let fresh = self.connect().await?;
        self.exchange(fresh, request(&method, path, body))
            .await
            .map_err(|error| self.unreachable(error))
    }

    /// A connection of its own, for an answer without end; where the core
    /// refuses, its status and words.
    pub(super) async fn stream(
        &self,
        path: &str,
    ) -> Result<Result<Incoming, (StatusCode, Bytes)>, ClientError> {
        let mut connection = self.connect().await?;
        let sent = connection.send_request(request(&Method::GET, path, Bytes::new())).await;
        let response = sent.map_err(|error| self.unreachable(io::Error::other(error)))?;
        if response.status() == StatusCode::OK {
            return Ok(Ok(response.into_body()));
        }
        read(response).await.map(Err).map_err(|error| self.unreachable(error))
    }

    pub(super) fn unreachable(&self, source: io::Error) -> ClientError {
        self.target.unreachable(source)
    }

    pub(super) fn protocol(&self, what: impl Display) -> ClientError {
        ClientError::Protocol { core: self.target.to_string(), what: what.to_string() }
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let stream = self.target.connect().await?;
        let (connection, driver) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(io::Error::other(error)))?;
        // Its errors reach whoever waits for an answer on the connection.
        tokio::spawn(driver);
        Ok(connection)
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        request: Request<Full<Bytes>>,
    ) -> io::Result<(StatusCode, Bytes)> {
        connection.ready().await.map_err(io::Error::other)?;
        let response = connection.send_request(request).await.map_err(io::Error::other)?;
        let answer = read(response).await?;
        self.keep(connection);
        Ok(answer)
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

fn request(method: &Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    request.method_mut().clone_from(method);
    // Paths are made of our own words, checked ids and addresses; a path that
    // is none after all asks for `/`, which the core does not have.
    *request.uri_mut() = path.parse().unwrap_or_default();
    request.headers_mut().insert(header::HOST, http::HeaderValue::from_static("core"));
    request
}

async fn read(response: Response<Incoming>) -> io::Result<(StatusCode, Bytes)> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(io::Error::other)?;
    Ok((head.status, body.to_bytes()))
}

/// A batch of sign-ons whose users are in very many groups stays below.
const MAX_ANSWER: usize = 64 << 20;
