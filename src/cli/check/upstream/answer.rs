//! What the first bytes of an answer tell about the program that sent it.

use std::time::Duration;

/// What is spoken at the address of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// As it should be.
    Http(Answer),
    Tls,
    /// HTTP/2 and nothing older.
    Http2,
    /// Something else, by its name or first words.
    Other(String),
    /// The connection is closed without a word.
    Nothing,
    /// Nothing comes within this time.
    Late(Duration),
}

/// An answer by HTTP/1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The scheme of the sign-on it asks for.
    pub(super) challenge: Option<String>,
    /// The length of its body, where it says so.
    pub(super) length: usize,
    /// Whether it is the answer of a Doorward.
    pub(super) is_doorward: bool,
}

/// Whether more bytes would tell more.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    if bytes.iter().zip(HTTP).any(|(byte, wanted)| byte != wanted) {
        return true;
    }
    split(bytes).is_some_and(|(head, body)| {
        let answer = read(head, body);
        answer.status < 400 || body.len() >= answer.length
    })
}

/// Who speaks, by the first bytes; `None`: they tell nothing.
pub(super) fn of(bytes: &[u8]) -> Option<Spoken> {
    if bytes.is_empty() {
        return None;
    }
    if bytes.starts_with(HTTP) {
        let (head, body) = split(bytes).unwrap_or((bytes, &[]));
        return Some(Spoken::Http(read(head, body)));
    }
    // Alerts and handshakes of SSL 3 to TLS 1.3 (RFC 8446 section 5.1).
    if matches!(bytes, [0x14..=0x17, 3, 0..=4, ..]) {
        return Some(Spoken::Tls);
    }
    // A settings frame, or GOAWAY, of HTTP/2 (RFC 9113 section 4.1).
    if matches!(bytes, [0, _, _, 4 | 7, 0, 0, 0, 0, 0, ..]) {
        return Some(Spoken::Http2);
    }
    Some(Spoken::Other(greeting(bytes)))
}

/// A protocol's name, by how its servers begin; else the words themselves.
fn greeting(bytes: &[u8]) -> String {
    let begins = |words: &[u8]| bytes.starts_with(words);
    let name = match () {
        () if begins(b"SSH-") => "SSH",
        () if begins(b"220 ") || begins(b"220-") || begins(b"421 ") => "SMTP or FTP",
        () if begins(b"* OK") || begins(b"* BYE") || begins(b"* PREAUTH") => "IMAP",
        () if begins(b"+OK") => "POP3",
        () if begins(b"-ERR") || begins(b"-DENIED") || begins(b"-NOAUTH") => "Redis",
        () if begins(b"RFB ") => "VNC",
        // Length, sequence number 0, protocol 10 and a version, or an error.
        () if matches!(bytes, [_, _, 0, 0, 10 | 0xff, ..]) => "MySQL or MariaDB",
        () if begins(b"E\0\0\0") => "PostgreSQL",
        () => return first_line(bytes),
    };
    name.to_owned()
}

/// `"hello there"`
fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line.get(..40).unwrap_or(line)).trim().to_owned();
    format!("something that begins with {text:?}")
}

fn read(head: &[u8], body: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let is_doorward = is_refusal_of_doorward(body);
    let mut answer =
        Answer { status: status.unwrap_or_default(), is_doorward, ..Answer::default() };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("www-authenticate") && answer.challenge.is_none() {
            answer.challenge = value.split([' ', ',']).next().map(str::to_owned);
        }
        if name.eq_ignore_ascii_case("content-length") {
            answer.length = value.parse().unwrap_or_default();
        }
    }
    answer
}

/// `{"error": …, "message": …, "reference": …}`, as every refusal of a Doorward has it.
fn is_refusal_of_doorward(body: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    let is_text = |name: &str| body.get(name).is_some_and(serde_json::Value::is_string);
    ["error", "message", "reference"].into_iter().all(is_text)
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((bytes.get(..end)?, bytes.get(end + 4..)?))
}

const HTTP: &[u8] = b"HTTP/1.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_apart_by_how_they_begin() {
        let other = |name: &str| Some(Spoken::Other(name.to_owned()));
        for (bytes, spoken) in [
            (&b"\x15\x03\x03\x00\x02\x02\x16"[..], Some(Spoken::Tls)),
            (b"\x15\x03\x01\x00\x02\x02\x0a", Some(Spoken::Tls)),
            (b"\0\0\x12\x04\0\0\0\0\0\0\x03", Some(Spoken::Http2)),
            (b"SSH-2.0-OpenSSH_9.9\r\n", other("SSH")),
            (b"220 mail.example ESMTP Postfix\r\n", other("SMTP or FTP")),
            (b"J\0\0\0\n8.4.0\0", other("MySQL or MariaDB")),
            (b"-ERR unknown command 'GET'\r\n", other("Redis")),
            (b"hello there\nmore", other("something that begins with \"hello there\"")),
            (b"", None),
        ] {
            assert_eq!(of(bytes), spoken, "{bytes:?}");
            assert!(bytes.is_empty() || is_complete(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn an_answer_tells_its_status_and_what_it_asks_for() {
        let bytes = b"HTTP/1.1 401 Unauthorized\r\nServer: x\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\r\nno";
        let challenge = Some("Basic".to_owned());
        let answer = Answer { status: 401, challenge, ..Answer::default() };
        assert_eq!(of(bytes), Some(Spoken::Http(answer)));
        assert!(is_complete(bytes) && !is_complete(b"HTTP/1.1 401 Un") && !is_complete(b"HT"));
        let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 46\r\n\r\n";
        let body = r#"{"error":"a","message":"b","reference":"ABCD"}"#;
        assert!(!is_complete(head.as_bytes()));
        let own = format!("{head}{body}");
        assert!(is_complete(own.as_bytes()));
        let Some(Spoken::Http(own)) = of(own.as_bytes()) else { panic!() };
        assert!(own.is_doorward && own.status == 401);
    }
}
