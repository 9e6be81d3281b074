//! Keeps one helper running: starts it, waits for its end, and starts another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::helpers::{Helper, Helpers};
use crate::clock;
use crate::config::section::{HelperProtocol, Ntlm};
use crate::mechanism::ntlm::helper::failure::{Broken, Failure};
use crate::mechanism::ntlm::helper::health::Health;
use crate::mechanism::ntlm::helper::process::{Life, Process, commands};

/// Keeps a place filled until the task is ended, and the helper with it. Whatever
/// ends a whole service ends its helpers too, and they may be quicker than we.
pub(in crate::mechanism::ntlm::helper) async fn supervise(
    settings: Arc<Ntlm>,
    helpers: Arc<Helpers>,
    health: Arc<Health>,
    stop: CancellationToken,
) {
    let mut back_off = BackOff::new();
    while !stop.is_cancelled() {
        match start(&settings).await {
            Ok((process, life)) => {
                let proven = serve(process, life, &helpers, &stop).await;
                if proven {
                    back_off = BackOff::new();
                }
            }
            Err(failure) => {
                tracing::error!(error = %failure, "a helper cannot be started");
                health.cannot_start(failure);
            }
        }
        clock::pause(back_off.next()).await;
    }
}

/// Starts a helper and makes it ready for its first question.
pub(in crate::mechanism::ntlm::helper) async fn start(
    settings: &Ntlm,
) -> Result<(Process, Life), Failure> {
    let protocol = settings.helper_protocol;
    let (mut process, life) = Process::start(settings, protocol).map_err(|error| {
        let path = settings.ntlm_auth.display();
        Failure::Helper(format!("{path} cannot be started: {error}; correct sso.ntlm.ntlm_auth"))
    })?;
    if protocol == HelperProtocol::Squid25Ntlmssp {
        commands::keep_keys(&mut process).await.map_err(|broken| useless(settings, &broken))?;
    }
    Ok((process, life))
}

fn useless(settings: &Ntlm, broken: &Broken) -> Failure {
    let path = settings.ntlm_auth.display();
    Failure::Helper(format!(
        "{path} does not speak {}: {broken}; is it Samba's, and are ntlm_auth_args right?",
        settings.helper_protocol.as_str()
    ))
}

/// Lets a helper work until it ends or is dropped. Tells whether it ever
/// answered well.
async fn serve(
    process: Process,
    mut life: Life,
    helpers: &Helpers,
    stop: &CancellationToken,
) -> bool {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let pid = life.pid();
    let (gone, mut dropped) = oneshot::channel();
    helpers.arrive(Helper { id, process, proven: false, gone: Some(gone) });
    let outcome = tokio::select! {
        proven = &mut dropped => Ok(proven.unwrap_or(false)),
        ended = life.ended() => Err(ended),
    };
    helpers.leave(id);
    life.kill().await;
    match outcome {
        Ok(proven) => proven,
        Err(status) => {
            if timeout(SAME_MOMENT, stop.cancelled()).await.is_err() {
                tracing::warn!(pid, ?status, "a helper ended by itself");
            }
            // It may be in somebody's hands, who is about to notice.
            dropped.await.unwrap_or(false)
        }
    }
}

/// How long to wait before a helper is started again.
#[derive(Debug)]
struct BackOff(Duration);

impl BackOff {
    fn new() -> Self {
        Self(FIRST)
    }

    fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(LONGEST);
        now
    }
}

/// When everything is stopped at once, a helper may be quicker than this process.
const SAME_MOMENT: Duration = Duration::from_millis(200);
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_twice_as_long_each_time_up_to_ten_seconds() {
        let mut back_off = BackOff::new();
        let waits: Vec<u128> = (0..9).map(|_| back_off.next().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }
}
