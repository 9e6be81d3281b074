//! The bodies of requests.

use std::time::Duration;

use axum::body::Body;
use bytes::BytesMut;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::core_server::refusal::Refusal;
use crate::wire::ErrorWord;

/// Reads a body of so many bytes, and what a peer sends beyond that to its end:
/// the answer would not reach it otherwise. Nothing of the rest is kept.
pub(super) async fn read<T: DeserializeOwned>(
    mut body: Body,
    at_most: usize,
) -> Result<T, Refusal> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    let reading = async {
        while let Some(frame) = body.frame().await {
            let data = frame.map(|frame| frame.into_data().unwrap_or_default())?;
            length += data.len();
            if length > at_most {
                bytes = BytesMut::new();
            } else {
                bytes.extend_from_slice(&data);
            }
            if length > at_most.max(MAX_REQUEST) {
                break;
            }
        }
        Ok::<_, axum::Error>(())
    };
    let read = timeout(BODY_TIMEOUT, reading).await;
    if length > at_most {
        return Err(too_large(at_most));
    }
    match read {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            return Err(Refusal::bad_request(format!("The body cannot be read ({error}).")));
        }
        Err(_) => return Err(Refusal::bad_request("The body did not arrive in time.")),
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::bad_request(format!("The body is not valid: {error}.")))
}

fn too_large(at_most: usize) -> Refusal {
    let message = format!(
        "The body is too large: the limit is {at_most} bytes. Only peers that may send proofs \
         (SYSTEM and fronts) may send more."
    );
    Refusal::new(ErrorWord::TooLarge, message)
}

/// Bytes of a request of whoever may send proofs,
pub(super) const MAX_REQUEST: usize = 1 << 20;
/// of one with many of them,
pub(super) const MAX_SIGN_ONS: usize = 16 << 20;
/// and of everybody else's.
pub(super) const STRANGERS_REQUEST: usize = 16 << 10;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
