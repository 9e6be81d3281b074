//! Points in time, as people say them.

use crate::clock::Timestamp;

/// How long ago a moment was, or how far ahead it lies, in the largest unit that
/// is not zero.
pub(super) fn ago(moment: Timestamp, now: Timestamp) -> String {
    if moment < now {
        format!("{} ago", span(moment.until(now).as_secs()))
    } else {
        format!("in {}", span(now.until(moment).as_secs()))
    }
}

fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_people_use() {
        let now = Timestamp::from_unix(10_000_000);
        for (moment, said) in [
            (10_000_000, "in 0 seconds"),
            (9_999_999, "1 second ago"),
            (10_000_120, "in 2 minutes"),
            (10_000_000 - 47 * 3600, "47 hours ago"),
            (10_000_000 - 3 * 86_400 - 5, "3 days ago"),
            (10_000_000 + 400 * 86_400, "in 400 days"),
        ] {
            assert_eq!(ago(Timestamp::from_unix(moment), now), said);
        }
    }
}
