//! Tunnels (websockets) outlive the request that opened them, and end with their session.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::wire::SessionKey;

/// The tunnels that stand, by the session they were opened under.
#[derive(Debug, Default)]
pub(super) struct Tunnels(Mutex<HashMap<SessionKey, Vec<CancellationToken>>>);

impl Tunnels {
    /// Keeps a tunnel's token until the tunnel or its session has ended.
    pub(super) fn add(&self, key: SessionKey, token: CancellationToken) {
        self.lock().entry(key).or_default().push(token);
    }

    /// Ends every tunnel of a session.
    pub(super) fn end(&self, key: &SessionKey) {
        let tokens = self.lock().remove(key);
        for token in tokens.into_iter().flatten() {
            token.cancel();
        }
    }

    /// Forgets the tunnels of a session that have ended.
    pub(super) fn forget_ended(&self, key: &SessionKey) {
        let mut tunnels = self.lock();
        if let Some(tokens) = tunnels.get_mut(key) {
            tokens.retain(|token| !token.is_cancelled());
            if tokens.is_empty() {
                tunnels.remove(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Vec<CancellationToken>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_its_own_tunnels_and_no_others() {
        let tunnels = Tunnels::default();
        let (ours, theirs) = (SessionKey::sample("ours"), SessionKey::sample("theirs"));
        let tokens: Vec<_> = (0..3).map(|_| CancellationToken::new()).collect();
        tunnels.add(ours, tokens[0].clone());
        tunnels.add(ours, tokens[1].clone());
        tunnels.add(theirs, tokens[2].clone());
        tunnels.end(&ours);
        let ended: Vec<bool> = tokens.iter().map(CancellationToken::is_cancelled).collect();
        assert_eq!(ended, [true, true, false]);
        tokens[2].cancel();
        tunnels.forget_ended(&theirs);
        assert!(tunnels.lock().is_empty());
    }
}
