//! Compares this gateway's clock with the domain's.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;

/// How far this gateway's clock is from the domain controller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    off: Duration,
    ahead: bool,
}

impl Clock {
    /// From what both say of one moment.
    pub(crate) fn compare(ours: Timestamp, theirs: Timestamp) -> Self {
        let ahead = ours > theirs;
        let off = if ahead { theirs.until(ours) } else { ours.until(theirs) };
        Self { off, ahead }
    }

    /// Whether it is off by so much that Kerberos takes no ticket (RFC 4120, 1.6 and
    /// 3.2.3: five minutes).
    pub(crate) fn keeps_everybody_out(self) -> bool {
        self.off > TOLERATED
    }

    /// Whether somebody should look at it.
    pub(crate) fn is_wrong(self) -> bool {
        self.off > NOTED
    }

    /// What it is in seconds, for the metrics: more than zero when ahead.
    pub(crate) fn seconds(self) -> i64 {
        let seconds = i64::try_from(self.off.as_secs()).unwrap_or(i64::MAX);
        if self.ahead { seconds } else { -seconds }
    }
}

/// `10 min 02 s ahead of`
impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.off.as_secs();
        let side = if self.ahead { "ahead of" } else { "behind" };
        match seconds {
            0..60 => write!(f, "{seconds} s {side}"),
            60..3600 => write!(f, "{} min {:02} s {side}", seconds / 60, seconds % 60),
            3600..86_400 => write!(f, "{} h {:02} min {side}", seconds / 3600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h {side}", seconds / 86_400, seconds / 3600 % 24),
        }
    }
}

const TOLERATED: Duration = Duration::from_secs(300);
const NOTED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_told_with_its_side() {
        let at = Timestamp::from_unix;
        for (ours, theirs, said, seconds) in [
            (1_000_000, 1_000_000, "0 s behind", 0),
            (1_000_602, 1_000_000, "10 min 02 s ahead of", 602),
            (1_000_000, 1_000_602, "10 min 02 s behind", -602),
            (1_086_400, 1_000_000, "1 d 0 h ahead of", 86_400),
            (1_000_000, 1_003_660, "1 h 01 min behind", -3660),
        ] {
            let clock = Clock::compare(at(ours), at(theirs));
            assert_eq!((clock.to_string().as_str(), clock.seconds()), (said, seconds));
        }
        assert!(Clock::compare(at(301), at(0)).keeps_everybody_out());
        assert!(!Clock::compare(at(300), at(0)).keeps_everybody_out());
    }
}
