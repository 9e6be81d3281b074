//! Input that could not be read as a request.

use std::net::IpAddr;

use http::header::ACCEPT;
use http::{HeaderValue, Method, Request};

use crate::front::connection::stream::RefusedHead;
use crate::wire::Reason;

/// A head that was refused before anything was asked of it.
#[derive(Debug)]
pub(in crate::front) struct Unread {
    pub(in crate::front) reason: Reason,
    /// What is in the log beside it.
    pub(in crate::front) detail: String,
    /// As much of a request as is known: whether a page is wanted, and a body at all.
    pub(in crate::front) known: Request<()>,
}

impl Unread {
    /// Bytes that are refused for this reason.
    pub(super) fn of(reason: Reason, bytes: &[u8], peer: IpAddr) -> Self {
        let detail = format!("from {peer}: {}", beginning(bytes));
        Self { reason, detail, known: known(bytes) }
    }

    /// A head that hyper could not read, because of `why`. It is `left` in hyper's
    /// hands, unless hyper had taken it apart already.
    pub(super) fn by_parser(
        head: &RefusedHead,
        left: &[u8],
        why: &str,
        header_bytes: usize,
        peer: IpAddr,
    ) -> Self {
        let bytes = if left.len() > head.start.len() { left } else { &head.start };
        let line = beginning(bytes);
        let (reason, detail) = match head.status {
            414 => (Reason::TargetTooLong, "the target has more than 65534 bytes".to_owned()),
            431 if has_end(left) => {
                (Reason::HeadTooLarge, "the head has more than 512 header lines".to_owned())
            }
            431 => (
                Reason::HeadTooLarge,
                format!(
                    "the head has more than {} bytes; front.max_header_bytes is {header_bytes}",
                    left.len()
                ),
            ),
            _ => (Reason::HeadMalformed, why.to_owned()),
        };
        Self { reason, detail: format!("{detail}, from {peer}: {line}"), known: known(bytes) }
    }
}

/// What is in a head that cannot be read as a whole.
fn known(bytes: &[u8]) -> Request<()> {
    let mut known = Request::new(());
    if bytes.starts_with(b"HEAD ") {
        *known.method_mut() = Method::HEAD;
    }
    let wants_page = bytes.split(|byte| *byte == b'\n').any(|line| {
        let line = String::from_utf8_lossy(line.get(..512).unwrap_or(line)).to_ascii_lowercase();
        line.starts_with("accept:") && line.contains("text/html")
    });
    if wants_page {
        known.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/html"));
    }
    known
}

/// The first line, for the log: short, without a query, which may hold secrets,
/// and with nothing in it that a terminal obeys.
fn beginning(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n' | b'?')).next().unwrap_or(bytes);
    let short = line.get(..SHOWN).unwrap_or(line);
    let dots = if short.len() < line.len() { "…" } else { "" };
    format!("\"{}{dots}\"", short.escape_ascii())
}

fn has_end(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n")
}

const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_known_of_a_head_that_cannot_be_read_is_known() {
        let page = known(b"GET / HTTP/1.1\r\nX : y\r\nAccept: text/html, */*\r\n\r\n");
        assert_eq!((page.method(), page.headers().len()), (&Method::GET, 1));
        let head = known(b"HEAD /\x01 HTTP/1.1\r\nAccept: */*\r\n\r\n");
        assert_eq!((head.method(), head.headers().len()), (&Method::HEAD, 0));
    }

    #[test]
    fn the_log_is_shown_a_short_line_without_control_bytes() {
        assert_eq!(beginning(b"GET /\x1b[2J HTTP/1.1\r\nHost: a"), r#""GET /\x1b[2J HTTP/1.1""#);
        assert!(beginning(&[b'a'; 5000]).len() < 100);
        assert_eq!(beginning(b"\x16\x03\x01"), r#""\x16\x03\x01""#);
        assert_eq!(beginning(b"GET /a?token=b HTTP/1.1"), r#""GET /a""#);
    }
}
