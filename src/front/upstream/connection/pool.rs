//! An application, and the connections to it that wait for their next request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::Scheme;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::UpstreamConnection;
use crate::clock;
use crate::config::port_of;
use crate::front::upstream::error::{UpstreamError, broken};

/// An application that is reached over plain HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Application {
    host: Box<str>,
    port: u16,
    address: Arc<str>,
    parked: Mutex<Parked>,
}

#[derive(Debug, Default)]
struct Parked {
    /// The one used last stands at the back and is used next, so that spare ones age.
    connections: VecDeque<(Instant, Box<UpstreamConnection>)>,
    is_swept: bool,
}

/// An address of an application that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OddAddress {
    /// Another scheme, or none.
    #[error(
        "upstream {0}: Doorward speaks only http:// with applications; use a TLS proxy or a tunnel, and name its address"
    )]
    Scheme(Uri),
    /// No host.
    #[error("upstream {0}: the host is missing; write http://HOST:PORT")]
    Host(Uri),
    /// A port that none can be.
    #[error("upstream {0}: the port must be a number from 1 to 65535")]
    Port(Uri),
    /// A path: it would have to be prefixed, and application and gateway would
    /// see different paths.
    #[error("upstream {0}: requests are passed on with their own path; remove the path")]
    Path(Uri),
}

impl Application {
    /// The application at `http://host[:port]`.
    ///
    /// # Errors
    /// See [`OddAddress`].
    pub(crate) fn new(uri: &Uri) -> Result<Self, OddAddress> {
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(OddAddress::Scheme(uri.clone()));
        }
        let authority = uri.authority().ok_or_else(|| OddAddress::Host(uri.clone()))?;
        let host = authority.host();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(OddAddress::Host(uri.clone()));
        }
        let port = port_of(authority, 80).ok_or_else(|| OddAddress::Port(uri.clone()))?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(OddAddress::Path(uri.clone()));
        }
        Ok(Self {
            // The resolver wants IPv6 addresses without the brackets of a URI.
            host: host.trim_matches(['[', ']']).into(),
            port,
            address: authority.as_str().into(),
            parked: Mutex::default(),
        })
    }

    /// Host and port as configured: for logs, and for clients that send no `Host`.
    pub(crate) const fn address(&self) -> &Arc<str> {
        &self.address
    }

    /// A connection that waits for a request, if there is one.
    pub(in crate::front::upstream) fn take(&self) -> Option<Box<UpstreamConnection>> {
        loop {
            let (since, mut connection) = self.parked().connections.pop_back()?;
            if since.elapsed() < MAX_IDLE && connection.is_idle() {
                return Some(connection);
            }
        }
    }

    /// A new connection.
    pub(in crate::front::upstream) async fn connect(
        &self,
        limit: Duration,
    ) -> Result<Box<UpstreamConnection>, UpstreamError> {
        let connecting = TcpStream::connect((&*self.host, self.port));
        let refused = |source| UpstreamError::Connect { address: self.address.clone(), source };
        let stream = timeout(limit, connecting)
            .await
            .map_err(|_| UpstreamError::ConnectTimeout { address: self.address.clone(), limit })?
            .map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        UpstreamConnection::new(stream).await.map_err(|error| broken(&self.address, error))
    }

    /// Keeps a connection whose exchange is over, when it can be used again.
    pub(in crate::front::upstream) fn park(
        self: &Arc<Self>,
        mut connection: Box<UpstreamConnection>,
    ) {
        if !connection.is_idle() {
            return;
        }
        let mut parked = self.parked();
        if parked.connections.len() >= MAX_PARKED {
            return;
        }
        parked.connections.push_back((clock::instant(), connection));
        if !std::mem::replace(&mut parked.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes connections that are old or that the application has closed.
    /// False when none is left.
    fn prune(&self) -> bool {
        let mut parked = self.parked();
        parked
            .connections
            .retain_mut(|(since, connection)| since.elapsed() < MAX_IDLE && connection.is_idle());
        parked.is_swept = !parked.connections.is_empty();
        parked.is_swept
    }

    fn parked(&self) -> MutexGuard<'_, Parked> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after parked connections as long as there are any.
async fn sweep(application: Weak<Application>) {
    let mut rounds = interval(MAX_IDLE / 4);
    rounds.tick().await;
    loop {
        rounds.tick().await;
        match application.upgrade() {
            Some(application) if application.prune() => {}
            _ => return,
        }
    }
}

/// Connections parked per application.
const MAX_PARKED: usize = 256;
/// A connection unused for so long is closed; dead ones are noticed before.
const MAX_IDLE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_a_host_and_a_port_and_nothing_else() {
        for (uri, fault) in [
            ("https://app.example/", "speaks only http://"),
            ("app.example:9001", "speaks only http://"),
            ("http://user@app.example/", "the host is missing"),
            ("http://app.example:99999/", "from 1 to 65535"),
            ("http://app.example:0/", "from 1 to 65535"),
            ("http://app.example:/", "from 1 to 65535"),
            ("http://app.example/base", "remove the path"),
            ("http://app.example/?x", "remove the path"),
        ] {
            let error = Application::new(&uri.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains(fault), "{uri}: {error}");
        }
        let application = Application::new(&"http://[::1]:9001".parse().unwrap()).unwrap();
        assert_eq!((&*application.host, application.port), ("::1", 9001));
        assert_eq!(Application::new(&"http://app/".parse().unwrap()).unwrap().port, 80);
    }

    #[tokio::test]
    async fn a_connection_that_the_application_closed_is_not_kept() {
        let (listener, address) = crate::front::upstream::testing::listen().await;
        let uri = format!("http://{address}").parse().unwrap();
        let application = Arc::new(Application::new(&uri).unwrap());
        let connection = application.connect(MAX_IDLE).await.unwrap();
        let (served, _) = listener.accept().await.unwrap();
        application.park(connection);
        assert!(application.prune(), "it is kept as long as it stands");
        drop(served);
        let gone = async {
            while application.prune() {
                tokio::task::yield_now().await;
            }
        };
        timeout(MAX_IDLE, gone).await.unwrap();
        assert!(application.take().is_none());
    }
}
