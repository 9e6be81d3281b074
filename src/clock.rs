//! The one place that asks what time it is. Everything else takes a
//! [`Timestamp`] as an argument, so that a decision can be tested at any hour.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z. On the wire and in
/// the audit log it is written as RFC 3339 (`2026-11-22T15:00:00Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// The present moment, to the second.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(elapsed.unwrap_or_default().as_secs())
}

/// A monotonic instant, for measuring durations.
#[allow(clippy::disallowed_methods)]
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}

/// Waits before something is tried again. Never a substitute for a condition.
#[allow(clippy::disallowed_methods)]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

impl Timestamp {
    /// From seconds since the epoch.
    pub const fn from_unix(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more, cut at the end of time.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// The date and time of day in UTC; `None` after the year 9999.
    pub fn date_time(self) -> Option<OffsetDateTime> {
        i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
    }

    /// `01:13 UTC`, for people.
    pub fn time_of_day(self) -> String {
        format!("{:02}:{:02} UTC", self.0 / 3600 % 24, self.0 / 60 % 60)
    }

    /// How long it is from this moment until `later`; zero when it is past.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_secs(later.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.date_time().and_then(|moment| moment.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "@{}", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| {
            de::Error::custom("expected a date and time such as 2026-11-22T15:00:00Z")
        })?;
        let seconds = u64::try_from(moment.unix_timestamp())
            .map_err(|_| de::Error::custom("a moment before 1970"))?;
        Ok(Self(seconds))
    }
}
