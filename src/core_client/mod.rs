//! The client of the core, over its unix socket or TLS.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::config::checked::CoreAddress;
use crate::wire::attempts::{AttemptAnswer, AttemptAnswers, Attempts};
use crate::wire::key::is_session_id;
use crate::wire::reference::new_reference;
use crate::wire::{
    ErrorBody, ErrorWord, OpenSession, Session, SignOnAnswer, SignOnAnswers, SignOns, Whoami,
};

mod admin;
mod events;
mod pool;
mod target;

pub(crate) use admin::{Page, SessionFilter};
pub(crate) use events::Events;
use pool::Pool;
pub(crate) use target::CredentialError;
use target::Target;

/// Asks the core. Connections are kept and shared; calls may run at once.
#[derive(Debug)]
pub(crate) struct Client {
    pool: Pool,
    patience: Duration,
}

/// Why the core gave no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers, or not in time.
    #[error(
        "the core at {core} does not answer ({source}): is it running, and is this its address?"
    )]
    Unreachable {
        /// The core's socket, or its URL.
        core: String,
        /// What the system said.
        source: io::Error,
    },
    /// What answers cannot prove to be the core.
    #[error(
        "what answers at {core} is not trusted ({source}); name the authority of the core's certificate in server_ssl_ca_file, and reach the core by a name in the certificate"
    )]
    Untrusted {
        /// The core's URL.
        core: String,
        /// What the TLS library said.
        source: io::Error,
    },
    /// Our own key, or the authority to trust, cannot be used.
    #[error("the core at {core} cannot be asked: {source}")]
    Credentials {
        /// The core's URL.
        core: String,
        /// What is wrong.
        source: Box<CredentialError>,
    },
    /// The core answered, and refused.
    #[error("{} (reference {} in the core's log)", .0.message, .0.reference)]
    Refused(ErrorBody),
    /// What answers on the socket is no core, or one of another version.
    #[error(
        "what answers at {core} does not speak like a core of this version: {what}; correct the address of the core, and let both run the same version"
    )]
    Protocol {
        /// The core's socket, or its URL.
        core: String,
        /// What was wrong with the answer.
        what: String,
    },
}

impl Client {
    /// A client of the core at `address`. Nothing is connected yet.
    pub(crate) fn new(address: CoreAddress) -> Self {
        let pool = Pool::new(Target::new(address), MAX_CONNECTIONS);
        Self { pool, patience: CALL_TIMEOUT }
    }

    /// A client that waits for answers which take their time: the core asks a
    /// KDC before, and answers wrong passwords late.
    pub(crate) fn patient(address: CoreAddress) -> Self {
        let pool = Pool::new(Target::new(address), MAX_PATIENT_CONNECTIONS);
        Self { pool, patience: PATIENT_TIMEOUT }
    }

    /// Reads key, certificate and authority, where the core is asked by TLS.
    /// They are read again when their files change.
    ///
    /// # Errors
    /// [`ClientError::Credentials`].
    pub(crate) async fn prepare(&self) -> Result<(), ClientError> {
        self.pool.target().prepare().await
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `logon_failed`, `no_access`, `bad_request`,
    /// `busy`, `store_full`, `store_failed`; or the core cannot be asked.
    pub(crate) async fn open(&self, ask: &OpenSession) -> Result<Session, ClientError> {
        let (status, body) = self.post("/v1/sessions", ask).await?;
        self.read(status, StatusCode::CREATED, &body)
    }

    /// Opens several sessions at the cost of one round trip; an answer for each, in order.
    ///
    /// # Errors
    /// The whole was refused (`no_access`, `bad_request`), or the core cannot be asked.
    pub(crate) async fn open_many(
        &self,
        proofs: Vec<OpenSession>,
    ) -> Result<Vec<Result<Session, ErrorBody>>, ClientError> {
        let asked = proofs.len();
        let (status, body) = self.post("/v1/sign-ons", &SignOns { proofs }).await?;
        let SignOnAnswers { answers } = self.read(status, StatusCode::OK, &body)?;
        if answers.len() != asked {
            let what = format!("{} answers to {asked} sign-ons", answers.len());
            return Err(self.pool.protocol(what));
        }
        let each = answers.into_iter().map(|answer| match answer {
            SignOnAnswer::Granted(session) => Ok(session),
            SignOnAnswer::Refused(error) => Err(error),
        });
        Ok(each.collect())
    }

    /// Begins and ends attempts at passwords that are checked elsewhere; an answer
    /// for each that begins, in order.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `no_access`; or the core cannot be asked.
    pub(crate) async fn attempts(
        &self,
        attempts: &Attempts,
    ) -> Result<Vec<AttemptAnswer>, ClientError> {
        let (status, body) = self.post("/v1/attempts", attempts).await?;
        let AttemptAnswers { answers } = self.read(status, StatusCode::OK, &body)?;
        if answers.len() != attempts.begin.len() {
            let what = format!("{} answers to {} attempts", answers.len(), attempts.begin.len());
            return Err(self.pool.protocol(what));
        }
        Ok(answers)
    }

    /// Whose session `id` is; counts as a use of it. `client` is the address
    /// that presented it, for sessions that may be used from one address only.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `end_of_session`; or the core cannot be asked.
    pub(crate) async fn resolve(
        &self,
        id: &str,
        client: Option<IpAddr>,
    ) -> Result<Session, ClientError> {
        let mut path = session_path(id)?;
        if let Some(client) = client {
            path = format!("{path}?client={client}");
        }
        let (status, body) = self.call(Method::GET, &path, Bytes::new()).await?;
        self.read(status, StatusCode::OK, &body)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `end_of_session` when there is none, or with
    /// `store_full`, `store_failed` when it is dead but a restart of the core
    /// could revive it; or the core cannot be asked.
    pub(crate) async fn end(&self, id: &str) -> Result<(), ClientError> {
        let (status, body) = self.call(Method::DELETE, &session_path(id)?, Bytes::new()).await?;
        if status == StatusCode::NO_CONTENT { Ok(()) } else { Err(self.refusal(status, &body)) }
    }

    /// Who the core takes this process for.
    ///
    /// # Errors
    /// The core cannot be asked.
    pub(crate) async fn whoami(&self) -> Result<Whoami, ClientError> {
        let (status, body) = self.call(Method::GET, "/v1/whoami", Bytes::new()).await?;
        self.read(status, StatusCode::OK, &body)
    }

    /// Listens to the core's events, on a connection of its own.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `no_access` for a peer that is no front;
    /// or the core cannot be asked.
    pub(crate) async fn events(&self) -> Result<Events, ClientError> {
        let answer = self.in_time(self.pool.stream("/v1/events")).await?;
        match answer {
            Ok(body) => Ok(Events::new(body, self.pool.target().to_string())),
            Err((status, body)) => Err(self.refusal(status, &body)),
        }
    }

    async fn post<T: Serialize + Sync>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.pool.protocol(error))?;
        self.call(Method::POST, path, body.into()).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        self.in_time(self.pool.call(method, path, body)).await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        match timeout(self.patience, work).await {
            Ok(done) => done,
            Err(_) => Err(self.pool.unreachable(io::ErrorKind::TimedOut.into())),
        }
    }

    fn read<T: DeserializeOwned>(
        &self,
        status: StatusCode,
        hoped_for: StatusCode,
        body: &[u8],
    ) -> Result<T, ClientError> {
        if status != hoped_for {
            return Err(self.refusal(status, body));
        }
        serde_json::from_slice(body).map_err(|error| self.pool.protocol(error))
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> ClientError {
        match serde_json::from_slice(body) {
            Ok(error) => ClientError::Refused(error),
            Err(_) => self.pool.protocol(format!("status {status} without an explanation")),
        }
    }
}

/// What cannot be a session's id is answered like the id of a session that ended.
fn session_path(id: &str) -> Result<String, ClientError> {
    if is_session_id(id) {
        return Ok(format!("/v1/sessions/{id}"));
    }
    Err(ClientError::Refused(ErrorBody {
        error: ErrorWord::EndOfSession.into(),
        message: "This cannot be the id of a session.".to_owned(),
        reference: new_reference(),
        reason: None,
        ended: None,
    }))
}

/// From the wish to ask until the whole answer stands here.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The same where the core itself waits: longer than it does.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(25);
/// Calls at once; further ones wait. The pool never holds more connections.
const MAX_CONNECTIONS: usize = 32;
/// The same of calls that spend their time with waiting.
const MAX_PATIENT_CONNECTIONS: usize = 128;
