//! What everybody may ask of the core.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{Client, ClientError};
use crate::wire::{Mechanism, OpenSession, Session, SessionSecret, Whoami, Word};

impl Client {
    /// Opens a session.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `logon_failed`, `no_access`, `bad_request`,
    /// `busy`, `store_full`, `store_failed`; or the core cannot be asked.
    pub(crate) async fn open(&self, ask: &OpenSession) -> Result<Session, ClientError> {
        self.post("/v1/sessions", ask, StatusCode::CREATED).await
    }

    /// Whose session a secret is for; counts as a use of it. `client` is the address
    /// that presented it, for sessions that may be used from one address only.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `end_of_session`; [`ClientError::UnknownMechanism`];
    /// or the core cannot be asked.
    pub(crate) async fn resolve(
        &self,
        secret: &SessionSecret,
        client: Option<IpAddr>,
    ) -> Result<Session, ClientError> {
        let mut path = session_path(secret);
        if let Some(client) = client {
            path = format!("{path}?client={client}");
        }
        let body = self.call(Method::GET, &path, Bytes::new(), StatusCode::OK).await?;
        self.read(&body).map_err(|error| self.of_newer(error, &body))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `end_of_session` when there is none, or with
    /// `store_full`, `store_failed` when it is dead but a restart of the core
    /// could revive it; or the core cannot be asked.
    pub(crate) async fn end(&self, secret: &SessionSecret) -> Result<(), ClientError> {
        self.delete(&session_path(secret)).await
    }

    /// Who the core takes this process for.
    ///
    /// # Errors
    /// The core cannot be asked.
    pub(crate) async fn whoami(&self) -> Result<Whoami, ClientError> {
        self.get("/v1/whoami").await
    }

    /// Says of a session that cannot be read whether a newer version opened it.
    fn of_newer(&self, error: ClientError, body: &[u8]) -> ClientError {
        #[derive(Deserialize)]
        struct Opened {
            mechanism: Word<Mechanism>,
        }
        match serde_json::from_slice(body) {
            Ok(Opened { mechanism: Word::Other(mechanism) }) => {
                ClientError::UnknownMechanism { core: self.pool.target().to_string(), mechanism }
            }
            _ => error,
        }
    }
}

fn session_path(secret: &SessionSecret) -> String {
    format!("/v1/sessions/{}", secret.as_str())
}
