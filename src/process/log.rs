//! The log goes to standard error: text on a terminal, JSON otherwise.

use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

use crate::config::checked::{Log, LogFormat};

mod lines;

use lines::Lines;

/// Changes the level while the process runs.
#[derive(Debug)]
pub struct LogLevel(reload::Handle<LevelFilter, Registry>);

impl LogLevel {
    /// From now on, this level and what is more severe.
    pub fn set(&self, level: Level) {
        if let Err(error) = self.0.reload(LevelFilter::from_level(level)) {
            tracing::warn!(%error, "the log level stays as it was");
        }
    }
}

/// Starts logging, once for the process.
///
/// # Errors
/// Somebody else has started it already.
pub fn start(log: &Log) -> Result<LogLevel, tracing_subscriber::util::TryInitError> {
    let (filter, handle) = reload::Layer::new(LevelFilter::from_level(log.level));
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
