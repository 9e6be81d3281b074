//! One call: a request, and what its answer means.

use std::io;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{Client, ClientError};

impl Client {
    /// What stands at a path.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let body = self.call(Method::GET, path, Bytes::new(), StatusCode::OK).await?;
        self.read(&body)
    }

    /// What is made of `asked`, and comes with the status `made`.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: &(impl Serialize + Sync),
        made: StatusCode,
    ) -> Result<T, ClientError> {
        let asked = serde_json::to_vec(asked).map_err(|error| self.pool.protocol(error))?;
        let body = self.call(Method::POST, path, asked.into(), made).await?;
        self.read(&body)
    }

    /// Removes what stands at a path.
    pub(super) async fn delete(&self, path: &str) -> Result<(), ClientError> {
        let done = StatusCode::NO_CONTENT;
        self.call(Method::DELETE, path, Bytes::new(), done).await.map(|_| ())
    }

    /// Waits as long as this client does for an answer.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        match timeout(self.patience, work).await {
            Ok(done) => done,
            Err(_) => Err(self.pool.unreachable(io::ErrorKind::TimedOut.into())),
        }
    }

    /// What an answer means that is not the one hoped for.
    pub(super) fn refusal(&self, status: StatusCode, body: &[u8]) -> ClientError {
        match serde_json::from_slice(body) {
            Ok(error) => ClientError::Refused(error),
            Err(_) => self.pool.protocol(format!("status {status} without an explanation")),
        }
    }

    /// The body of the answer that was hoped for.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        hoped_for: StatusCode,
    ) -> Result<Bytes, ClientError> {
        let (status, body) = self.in_time(self.pool.call(method, path, body)).await?;
        if status == hoped_for { Ok(body) } else { Err(self.refusal(status, &body)) }
    }

    /// Reads such a body.
    pub(super) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|error| self.pool.protocol(error))
    }
}
