//! Receives ends of sessions from the core, for as long as the front runs.

use std::sync::Arc;
use std::time::Duration;

use super::CoreLink;
use crate::clock;
use crate::core_client::{ClientError, Events};
use crate::wire::Event;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// When everything is stopped at once, the core may be quicker than this front.
const SAME_MOMENT: Duration = Duration::from_millis(200);

/// Listens, and listens anew whenever the stream breaks off.
pub(super) async fn hear(link: Arc<CoreLink>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match link.client.events().await {
            Ok(events) => {
                pause = FIRST_PAUSE;
                let error = listen(&link, events).await;
                if link.is_stopping(SAME_MOMENT).await {
                    return;
                }
                tracing::warn!(%error, "the core's event stream broke off");
            }
            Err(error) => tracing::warn!(%error, "no event stream from the core"),
        }
        link.metrics.core_connected.set(0);
        clock::pause(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn listen(link: &CoreLink, mut events: Events) -> ClientError {
    loop {
        match events.next().await {
            Ok(Event::Hello) => {
                link.metrics.core_connected.set(1);
                link.forget_all();
            }
            Ok(Event::SessionEnded { id }) => link.forget(&id),
            Ok(Event::Other) => {}
            Err(error) => return error,
        }
    }
}
