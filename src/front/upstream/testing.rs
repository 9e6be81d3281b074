//! What the tests of these rooms share: a gateway in front of an application,
//! both on real sockets.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{AnswerBody, Assertions, ForwardContext, Forwarded, Proxy};
use crate::clock::Timestamp;
use crate::config::section::{ChannelBinding, Requirement};
use crate::config::section::{CoreAddress, Front, HeaderNames, HostPattern, Site};
use crate::front::connection::body::upload::Upload;
use crate::front::connection::client::Client;
use crate::front::core_link::Grant;
use crate::wire::{AdminLevel, LoginId, Mechanism, Session, SessionSecret, User};

/// Time limits of the tests' gateways.
pub(super) const LIMIT: Duration = Duration::from_millis(300);

pub(in crate::front) fn header_names() -> HeaderNames {
    HeaderNames {
        user: HeaderName::from_static("remote-user"),
        name: HeaderName::from_static("remote-name"),
        email: HeaderName::from_static("remote-email"),
        groups: HeaderName::from_static("remote-groups"),
        company: HeaderName::from_static("remote-company"),
        admin: HeaderName::from_static("remote-admin"),
        mechanism: HeaderName::from_static("remote-mechanism"),
        assertion: HeaderName::from_static("doorward-assertion"),
    }
}

pub(in crate::front) fn user() -> User {
    User {
        login_id: LoginId::new("john", "exampleorg"),
        name: "John Döe".into(),
        email: "john@exampleorg.example".into(),
        groups: vec!["webusers".into(), "S-1-5-21-1-2-3-513".into()],
        admin: AdminLevel::Company,
    }
}

pub(in crate::front) fn session() -> Session {
    Session {
        session: SessionSecret::from_bits(&[0; 32]),
        user: Arc::new(user()),
        mechanism: Mechanism::Negotiate,
        principal: "john@ADSDOMAIN.EXAMPLE".into(),
        typed: None,
        public_key: None,
        channel_bound: true,
        expires_at: Timestamp::from_unix(20_000_000_000),
        only_from: None,
        home_server: "doorward".into(),
        redirect: None,
    }
}

/// A gateway that lets everybody in as john.
pub(super) struct Gate {
    pub(super) address: SocketAddr,
    /// Ends john's session.
    pub(super) session: CancellationToken,
}

impl Gate {
    /// A gateway in front of the application at this address.
    pub(in crate::front) async fn before(application: SocketAddr) -> Self {
        let upstream: Uri = format!("http://{application}").parse().unwrap();
        let state = tempfile::tempdir().unwrap();
        let assertions = Arc::new(Assertions::open(state.path(), "gate.example").unwrap());
        let sites = [site(&upstream)];
        let proxy = Proxy::new(&front(), &sites, &["doorward"], assertions).unwrap();
        let (listener, address) = listen().await;
        let session = CancellationToken::new();
        let door = Arc::new(Door {
            proxy,
            upstream,
            grant: Grant::for_test(self::session()),
            client: Client::new([127, 0, 0, 1].into(), false, false),
            session: session.clone(),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let door = Arc::clone(&door);
                tokio::spawn(async move {
                    let service = service_fn(|request| Arc::clone(&door).answer(request));
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ =
                        builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, session }
    }

    pub(in crate::front) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and reads until the gateway closes.
    pub(in crate::front) async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

struct Door {
    proxy: Proxy,
    upstream: Uri,
    grant: Grant,
    client: Client,
    session: CancellationToken,
}

impl Door {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Either<AnswerBody, Full<Bytes>>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, Upload::lone(body));
        let context = ForwardContext {
            grant: &self.grant,
            upstream: &self.upstream,
            audience: "web.example",
            client: &self.client,
            pass_authorization: false,
            until: Some(&self.session),
        };
        Ok(match self.proxy.forward(request, context).await {
            Ok(Forwarded::Answer(answer)) => answer.map(Either::Left),
            Ok(Forwarded::Tunnel(head)) => head.map(|()| Either::Right(Full::default())),
            Err(error) => {
                let mut response = Response::new(Either::Right(error.to_string().into()));
                *response.status_mut() = error.status();
                response
            }
        })
    }
}

/// An application that answers with a function.
pub(in crate::front) async fn application<F, A, B>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send,
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let answer = answer(request);
                    async { Ok::<_, hyper::Error>(answer.await) }
                });
                let builder = hyper::server::conn::http1::Builder::new();
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// An application that says what it was asked, line by line: the request
/// line, the headers in order of their names, the body, the trailers.
pub(in crate::front) async fn mirror() -> SocketAddr {
    application(|request| async move {
        let (head, body) = request.into_parts();
        let mut lines = vec![];
        for (name, value) in &head.headers {
            lines.push(format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        lines.sort();
        lines.insert(0, format!("{} {} {:?}", head.method, head.uri, head.version));
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        lines.push(String::from_utf8(body.to_bytes().into()).unwrap());
        for (name, value) in &trailers {
            lines.push(format!("trailer {name}: {}", value.to_str().unwrap()));
        }
        Response::new(Full::<Bytes>::from(lines.join("\n")))
    })
    .await
}

/// An application that follows a script: for each connection in turn, for each
/// request on it the answer to give; then it closes. An empty answer is none.
pub(in crate::front) async fn scripted(script: &'static [&'static [&'static str]]) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        for connection in script {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                for answer in *connection {
                    read_head(&mut stream).await;
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
        std::future::pending::<()>().await;
    });
    address
}

/// Reads a head, and what happened to come with it.
pub(in crate::front) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk).await.unwrap() {
            0 => break,
            length => head.extend_from_slice(&chunk[..length]),
        }
    }
    String::from_utf8(head).unwrap()
}

pub(in crate::front) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The body of an answer, and its status.
pub(in crate::front) fn status(answer: &str) -> StatusCode {
    answer.split(' ').nth(1).unwrap_or_default().parse().unwrap()
}

fn front() -> Front {
    Front {
        listen: Vec::new(),
        listen_by_default: false,
        listen_tls: Vec::new(),
        listen_status: None,
        certificate: None,
        clients: None,
        trusted_proxies: Vec::new(),
        core: CoreAddress::Unix("/nowhere".into()),
        max_connections: 100,
        max_connections_per_address: Some(100),
        max_header_bytes: 128 * 1024,
        header_timeout: LIMIT,
        idle_timeout: LIMIT,
        body_timeout: LIMIT,
        connect_timeout: LIMIT,
        answer_timeout: LIMIT,
        tunnel_timeout: LIMIT,
        stop_timeout: LIMIT,
        headers: header_names(),
    }
}

fn site(upstream: &Uri) -> Site {
    Site {
        host: HostPattern::Any,
        path: "/".into(),
        upstream: Some(upstream.clone()),
        require: vec![Requirement::ValidUser],
        mechanisms: vec![Mechanism::Negotiate],
        mechanisms_by_default: false,
        channel_binding: ChannelBinding::Allow,
        pass_authorization: false,
    }
}
