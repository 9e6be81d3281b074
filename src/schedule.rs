//! When the refusal of a password is answered: at a full step after the attempt began, so that the
//! time does not show how far it came. All ways to a password use the same steps.

use std::time::{Duration, Instant};

use crate::clock;

/// Waits until the next full step since `began`.
pub(crate) async fn next_step(began: Instant) {
    clock::pause(rest(began.elapsed())).await;
}

/// What is missing of the step that `elapsed` lies in.
fn rest(elapsed: Duration) -> Duration {
    let (step, elapsed) = (STEP.as_nanos(), elapsed.as_nanos());
    let missing = (elapsed / step + 1) * step - elapsed;
    // Never more than a step.
    Duration::from_nanos(u64::try_from(missing).unwrap_or_default())
}

/// Longer than a KDC takes that is not far away.
const STEP: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_came_before_the_answer_comes_at_a_full_step() {
        for elapsed in [0, 1, 17, 299] {
            let elapsed = Duration::from_millis(elapsed);
            assert_eq!(elapsed + rest(elapsed), STEP);
        }
        for elapsed in [300, 301, 599] {
            let elapsed = Duration::from_millis(elapsed);
            assert_eq!(elapsed + rest(elapsed), 2 * STEP);
        }
    }
}
