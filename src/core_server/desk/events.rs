//! Ends of sessions, told to who may hear them, for as long as that is so.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::clock;
use crate::core_server::Core;
use crate::core_server::peer::Remote;
use crate::core_server::refusal::Refusal;
use crate::core_server::rights::{Action, HearEvents, Permit, permits};
use crate::core_server::sessions::events::EventBody;

impl Desk {
    /// The ends of sessions from now on, until `stop`, or until `remote` is no
    /// peer any more that may hear them.
    pub(in crate::core_server) fn events(
        &self,
        remote: Remote,
        stop: CancellationToken,
    ) -> Result<EventBody, Refusal> {
        let permit = self.permit(HearEvents)?;
        tokio::spawn(Arc::clone(&self.core).watch(remote, stop.clone()));
        Ok(self.core.events(&permit, stop))
    }
}

impl Core {
    fn events(&self, _permit: &Permit<HearEvents>, stop: CancellationToken) -> EventBody {
        self.sessions.events().stream(stop)
    }

    /// Ends what outlives its request as soon as the peer may not have it any more.
    async fn watch(self: Arc<Self>, remote: Remote, open: CancellationToken) {
        while open.run_until_cancelled(clock::pause(WATCH)).await.is_some() {
            let peer = self.peer_at(&remote).await;
            if !peer.is_some_and(|peer| permits(peer.actor(), Action::HearEvents)) {
                open.cancel();
            }
        }
    }
}

/// How often an answer without end is asked whether it may go on.
const WATCH: Duration = Duration::from_secs(1);
