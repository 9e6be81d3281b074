//! What a log line looks like: text for terminals, JSON otherwise. Each value is escaped and has a
//! limited length, whoever wrote it.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::legible::legible;

/// One of the two forms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lines {
    /// `TIME LEVEL target: message name=value …`
    Text {
        /// Whether levels have colours.
        colours: bool,
    },
    /// One object a line.
    Json,
}

/// The values of an event, in their order.
#[derive(Default)]
struct Values {
    json: Map<String, Value>,
    message: String,
    text: String,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut values = Values::default();
        event.record(&mut values);
        match self {
            Self::Text { colours } => {
                let (begin, end) = if *colours { (colour(level), "\x1b[0m") } else { ("", "") };
                write!(writer, "{time} {begin}{:>5}{end} {target}: ", level.as_str())?;
                writeln!(writer, "{}{}", values.message, values.text)
            }
            Self::Json => {
                let mut line = Map::new();
                line.insert("timestamp".to_owned(), time.into());
                line.insert("level".to_owned(), level.as_str().into());
                line.append(&mut values.json);
                line.insert("target".to_owned(), target.into());
                writeln!(writer, "{}", Value::Object(line))
            }
        }
    }
}

impl Values {
    fn put(&mut self, field: &Field, value: Value, text: impl FnOnce() -> String) {
        let name = field.name();
        if name == "message" {
            self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        } else {
            self.text.push_str(&format!(" {name}={}", text()));
        }
        self.json.insert(name.to_owned(), value);
    }
}

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let shown = legible(&format!("{value:?}"), LONGEST).into_owned();
        self.put(field, shown.clone().into(), || shown);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let shown = legible(value, LONGEST).into_owned();
        self.put(field, shown.clone().into(), || format!("\"{}\"", shown.replace('"', "\\\"")));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        self.record_debug(field, &format_args!("{text}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into(), || value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into(), || value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into(), || value.to_string());
    }
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// Bytes of a value. The longest of ours are all complaints about a configuration.
const LONGEST: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(lines: Lines, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = fmt().event_format(lines).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_is_one_line_with_everything_in_it_and_no_longer_than_allowed() {
        let long = "x".repeat(100_000);
        let (host, number) = ("a\nERROR forged\u{1b}[2J", 7);
        let log = || tracing::warn!(host, detail = %host, number, long, "said of {host}");
        let text = line(Lines::Text { colours: false }, log);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(" WARN doorward::process::log::lines::tests: said of a\\nERROR"));
        assert!(text.contains("number=7") && text.contains("[cut: 100000 bytes]"), "{text}");
        assert!(!text.contains('\u{1b}') && text.len() < 9_000, "{}", text.len());
        let json = line(Lines::Json, log);
        assert_eq!(json.lines().count(), 1);
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["level"], "WARN");
        assert_eq!(read["host"], "a\\nERROR forged\\u{1b}[2J");
        assert_eq!(read["number"], 7);
        assert!(read["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = io::Error::other("the cause");
        let error = crate::front::FrontError::Serve(error);
        let log = || tracing::error!(error = &error as &dyn Error, "failed");
        let json = line(Lines::Json, log);
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["error"], "a socket cannot be served: the cause");
    }
}
