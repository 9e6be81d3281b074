//! The log goes to standard error: text on a terminal, JSON otherwise.

use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

use crate::config::section::{Log, LogFormat};

mod lines;

use lines::Lines;

/// Changes the level while the process runs.
#[derive(Debug)]
pub(crate) struct LogLevel(reload::Handle<Targets, Registry>);

impl LogLevel {
    /// From now on, this level and what is more severe.
    pub(crate) fn set(&self, level: Level) {
        if let Err(error) = self.0.reload(lines(level)) {
            tracing::warn!(%error, "the log level is unchanged");
        }
    }
}

/// Starts logging, once for the process.
///
/// # Errors
/// Somebody else has started it already.
pub(crate) fn start(log: &Log) -> Result<LogLevel, tracing_subscriber::util::TryInitError> {
    let (filter, handle) = reload::Layer::new(lines(log.level));
    let text = match log.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Automatic => io::stderr().is_terminal(),
    };
    let lines =
        if text { Lines::Text { colours: io::stderr().is_terminal() } } else { Lines::Json };
    let lines = fmt::layer().event_format(lines).with_writer(io::stderr);
    tracing_subscriber::registry().with(filter).with(lines).try_init()?;
    Ok(LogLevel(handle))
}

/// Which lines are written at a level. `debug` shows each step of a sign-on, which
/// the frames and handshakes of the libraries below would bury: they come with `trace`.
fn lines(level: Level) -> Targets {
    let of_libraries = if level == Level::DEBUG { Level::INFO } else { level };
    Targets::new()
        .with_default(LevelFilter::from_level(of_libraries))
        .with_target(env!("CARGO_PKG_NAME"), level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_frames_are_shown_at_trace_only() {
        for (level, ours, theirs) in [
            (Level::INFO, Level::INFO, Level::INFO),
            (Level::DEBUG, Level::DEBUG, Level::INFO),
            (Level::TRACE, Level::TRACE, Level::TRACE),
            (Level::ERROR, Level::ERROR, Level::ERROR),
        ] {
            let lines = lines(level);
            for target in ["doorward::front::http::sign_on", "doorward"] {
                assert!(lines.would_enable(target, &ours), "{level} {target}");
            }
            for target in ["h2::codec", "hyper::proto", "rustls::server"] {
                assert!(lines.would_enable(target, &theirs), "{level} {target}");
                if level == Level::DEBUG {
                    assert!(!lines.would_enable(target, &Level::DEBUG), "{target}");
                }
            }
        }
    }
}
