//! The targets of HTTP/1.1 requests, as they arrive. Servers accept more bytes in a target than
//! the grammar of URLs allows: `<`, `>`, quotes, bytes beyond ASCII. hyper refuses them, so they
//! are percent-encoded before hyper sees them.
//!
//! Nothing but a target may be changed: bytes added to a body would make the rest
//! of it a request. So a head is looked for only where hyper looks for one, and
//! only if hyper has nothing left of what it was given before. In doubt the bytes
//! stay as they are, and hyper refuses them.

/// What is known between two requests of a connection.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct Between {
    /// Requests that have begun so far.
    pub(in crate::front) begun: usize,
    /// Length of the last one's body, which was read to its end; `None`: not told by its head.
    pub(in crate::front) body: Option<u64>,
}

/// Where in the stream of a connection its next byte stands.
#[derive(Debug)]
pub(in crate::front) struct Targets {
    at: At,
    /// Requests that had begun when the head began.
    begun: usize,
    /// The bytes before.
    last: [u8; 4],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// A head begins, perhaps after empty lines.
    Start,
    Method,
    /// In a target, before its path. `None`: at its first byte.
    Authority(Option<u8>),
    Path,
    Query,
    /// In the lines behind the target; whether the present one is empty.
    Lines {
        empty: bool,
    },
    /// So many bytes behind the head's end.
    Behind(u64),
    Unknown,
}

impl Targets {
    /// A connection of which nothing was read.
    pub(in crate::front) const fn new() -> Self {
        Self { at: At::Start, begun: 0, last: [0; 4] }
    }

    /// Notes bytes that arrived. When some of them have to be encoded, all of them as
    /// they should have come. `between`: no request is open and no body is being read.
    pub(in crate::front) fn pass(
        &mut self,
        bytes: &[u8],
        between: Option<Between>,
    ) -> Option<Vec<u8>> {
        self.settle(between);
        let mut encoded: Option<Vec<u8>> = None;
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_refused(*byte) {
                let so_far = || bytes.get(..at).unwrap_or_default().to_vec();
                let digits = format!("%{byte:02X}");
                encoded.get_or_insert_with(so_far).extend_from_slice(digits.as_bytes());
            } else if let Some(encoded) = &mut encoded {
                encoded.push(*byte);
            }
            self.at = next(self.at, *byte);
            if let At::Behind(0) | At::Unknown = self.at {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                if let At::Behind(count) = &mut self.at {
                    *count = u64::try_from(rest.len()).unwrap_or(u64::MAX);
                }
                if let Some(encoded) = &mut encoded {
                    encoded.extend_from_slice(rest);
                }
                break;
            }
        }
        let kept = bytes.len().min(self.last.len());
        self.last.rotate_left(kept);
        let end = self.last.len() - kept;
        if let (Some(last), Some(new)) = (self.last.get_mut(end..), bytes.get(bytes.len() - kept..))
        {
            last.copy_from_slice(new);
        }
        encoded
    }

    /// Finds out whether a head begins here.
    fn settle(&mut self, between: Option<Between>) {
        let Some(Between { begun, body }) = between else {
            if !matches!(self.at, At::Behind(_)) {
                self.at = At::Unknown;
            }
            return;
        };
        // hyper waits for a head, so what it has of one has no end. It has nothing of
        // one when all that it was given ends as a head does, or with the last body.
        let ended = match self.at {
            At::Behind(count) => begun == self.begun.wrapping_add(1) && body == Some(count),
            At::Unknown => false,
            At::Start | At::Method | At::Authority(_) | At::Path | At::Query | At::Lines { .. } => {
                return;
            }
        };
        self.at = if ended || self.last == *b"\r\n\r\n" { At::Start } else { At::Unknown };
        self.begun = begun;
    }

    /// Whether hyper refuses a byte that servers take in a target.
    const fn is_refused(&self, byte: u8) -> bool {
        matches!(
            (self.at, byte),
            (At::Path, b'<' | b'>' | b'`' | 0x80..) | (At::Query, b'<' | b'>' | b'"' | 0x80..)
        )
    }
}

const fn next(at: At, byte: u8) -> At {
    match (at, byte) {
        (At::Start, b'\r' | b'\n') => At::Start,
        (At::Method, b' ') => At::Authority(None),
        (At::Start | At::Method, _) => At::Method,
        (At::Authority(_) | At::Path | At::Query, b' ' | b'\r') => At::Lines { empty: false },
        (At::Authority(_) | At::Path | At::Query, b'\n') => At::Lines { empty: true },
        // `/path`, or `scheme://host/path`.
        (At::Authority(None | Some(2)), b'/') => At::Path,
        (At::Authority(Some(slashes)), b'/') => At::Authority(Some(slashes + 1)),
        (At::Authority(None), _) => At::Authority(Some(0)),
        (At::Path, b'?') => At::Query,
        (At::Lines { empty: true }, b'\n') => At::Behind(0),
        (At::Lines { empty: true }, b'\r') => At::Lines { empty: true },
        (At::Lines { .. }, byte) => At::Lines { empty: byte == b'\n' },
        (At::Behind(count), _) => At::Behind(count.saturating_add(1)),
        (at, _) => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Option<Between> = Some(Between { begun: 0, body: Some(0) });

    fn between(begun: usize, body: Option<u64>) -> Option<Between> {
        Some(Between { begun, body })
    }

    fn passed(targets: &mut Targets, bytes: &[u8], between: Option<Between>) -> Vec<u8> {
        targets.pass(bytes, between).unwrap_or_else(|| bytes.to_vec())
    }

    #[test]
    fn what_servers_take_in_a_target_is_encoded_and_nothing_else() {
        for (head, encoded) in [
            (
                "GET /s?q=\"b\" HTTP/1.1\r\nA: \"<é\r\n\r\n",
                "GET /s?q=%22b%22 HTTP/1.1\r\nA: \"<é\r\n\r\n",
            ),
            ("\r\nGET /<`>?`<> HTTP/1.1\r\n\r\n", "\r\nGET /%3C%60%3E?`%3C%3E HTTP/1.1\r\n\r\n"),
            ("GET /café?ü HTTP/1.1\n\n", "GET /caf%C3%A9?%C3%BC HTTP/1.1\n\n"),
            ("GET http://h<>/<> HTTP/1.1\r\n\r\n", "GET http://h<>/%3C%3E HTTP/1.1\r\n\r\n"),
            (
                "GET /%3C\"{|}^\\?{|}^\\[] HTTP/1.1\r\n\r\n",
                "GET /%3C\"{|}^\\?{|}^\\[] HTTP/1.1\r\n\r\n",
            ),
            ("G<T <> HTTP/1.1\r\n\r\n", "G<T <> HTTP/1.1\r\n\r\n"),
            (
                "POST /< HTTP/1.1\r\nContent-Length: 9\r\n\r\nGET /<> H",
                "POST /%3C HTTP/1.1\r\nContent-Length: 9\r\n\r\nGET /<> H",
            ),
        ] {
            // However it arrives.
            for size in [1, 2, 7, head.len()] {
                let mut targets = Targets::new();
                let parts = head.as_bytes().chunks(size);
                let body = head.find("\n\r\nGET").map_or(usize::MAX, |at| at + 3);
                let mut at = 0;
                let got: Vec<u8> = parts
                    .flat_map(|part| {
                        let state = if at < body { FIRST } else { None };
                        at += part.len();
                        passed(&mut targets, part, state)
                    })
                    .collect();
                assert_eq!(
                    got.escape_ascii().to_string(),
                    encoded.as_bytes().escape_ascii().to_string(),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn the_next_head_is_found_where_the_last_request_has_ended() {
        const NEXT: &[u8] = b"GET /< HTTP/1.1\r\n\r\n";
        let found = |first: &[u8], rest: &[u8], state| {
            let mut targets = Targets::new();
            assert_eq!(passed(&mut targets, first, FIRST), first);
            assert_eq!(passed(&mut targets, rest, None), rest);
            passed(&mut targets, NEXT, state) != NEXT
        };
        let get = b"GET / HTTP/1.1\r\n\r\n";
        let post = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
        assert!(found(get, b"", between(1, Some(0))));
        assert!(found(post, b"hello", between(1, Some(5))));
        assert!(found(post, b"0\r\n\r\n", between(1, None)), "a chunked body");
        // A body is being read, or a request is open.
        assert!(!found(get, b"", None));
        assert!(!found(post, b"\r\n\r\n", None));
        // hyper has the beginning of a head already.
        assert!(!found(get, b"GET / HTTP/1.1\r\nA: ", between(1, Some(0))));
        assert!(!found(post, b"helloGET / HTTP", between(1, Some(5))));
        assert!(!found(post, b"5\r\nhello\r\n0\r\n\r\nGET", between(1, None)));
        // What looks like a head's end to us was none to hyper.
        assert!(!found(post, b"hello", between(0, Some(5))));
    }

    #[test]
    fn after_requests_in_one_packet_it_finds_its_way_again() {
        let two = b"GET / HTTP/1.1\r\n\r\nGET /< HTTP/1.1\r\nA: b".as_slice();
        let mut targets = Targets::new();
        assert_eq!(passed(&mut targets, two, FIRST), two);
        let rest = b"c {<} HTTP/1.1\r\n\r\n";
        assert_eq!(passed(&mut targets, rest, between(1, Some(0))), rest, "a header line");
        let next = passed(&mut targets, b"GET /< HTTP/1.1\r\n\r\n", between(2, Some(0)));
        assert_eq!(next, b"GET /%3C HTTP/1.1\r\n\r\n");
    }
}
