//! HTTP as bytes: answers, and a connection on which a test says exactly what is sent.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

use super::tls;
use crate::lab::LIMIT;

/// An answer.
#[derive(Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// `1.1`, `2`: the version of HTTP.
    pub version: String,
    /// The headers in order, names as they came.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer coding.
    pub body: Vec<u8>,
    /// The heads of the answers before this one: challenges, redirects.
    pub before: Vec<Response>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, version, headers, before, .. } = self;
        let (before, body) = (before.len(), self.text());
        write!(f, "HTTP/{version} {status} after {before} others, {headers:?}: {body:.1000}")
    }
}

impl Response {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {} {}", self.status, self.text()))
    }

    /// The statuses of this answer and those before it, in order: `[401, 200]`.
    pub fn statuses(&self) -> Vec<u16> {
        self.before.iter().chain([self]).map(|one| one.status).collect()
    }
}

/// All heads that stand one after another in `bytes`.
pub fn heads(bytes: &[u8]) -> Vec<Response> {
    let mut found: Vec<Response> = Vec::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(rest) = line.strip_prefix("HTTP/") {
            let (version, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let status = rest.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
            found.push(Response { status, version: version.to_owned(), ..Response::default() });
        } else if line.is_empty() {
            continue;
        } else if let (Some(last), Some((name, value))) = (found.last_mut(), line.split_once(':')) {
            last.headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    found
}

/// One connection.
pub struct Raw {
    reader: BufReader<Box<dyn Stream>>,
    socket: TcpStream,
    certificate: Option<Vec<u8>>,
}

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

impl Raw {
    /// Connects to a port of loopback.
    #[track_caller]
    pub fn connect(port: u16) -> Raw {
        let socket = socket(port);
        let stream: Box<dyn Stream> = Box::new(socket.try_clone().unwrap());
        Raw { reader: BufReader::new(stream), socket, certificate: None }
    }

    /// Connects with TLS; whatever certificate is shown is believed.
    #[track_caller]
    pub fn connect_tls(port: u16) -> Raw {
        let socket = socket(port);
        let (stream, certificate) = tls::client(socket.try_clone().unwrap());
        let stream: Box<dyn Stream> = Box::new(stream);
        Raw { reader: BufReader::new(stream), socket, certificate: Some(certificate) }
    }

    /// The certificate that the other side showed, in DER; plain connections have none.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// One request on a connection of its own, to a server that may die in the middle:
    /// `None` unless the whole answer came. The request asks for the connection's end.
    pub fn try_exchange(port: u16, request: &str) -> Option<Response> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let mut response = heads(&answer[..end]).pop()?;
        response.body = answer[end..].to_vec();
        let length = response.header("content-length")?.parse::<usize>().ok()?;
        (response.body.len() == length).then_some(response)
    }

    /// Sends these bytes.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a GET with these header lines, and reads the answer.
    #[track_caller]
    pub fn get(&mut self, host: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        self.send(request);
        self.response()
    }

    /// Reads one answer; its body ends by Content-Length, chunks, or the connection.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = self.reader.read_until(b'\n', &mut head).unwrap();
            let so_far = String::from_utf8_lossy(&head);
            assert!(read > 0, "the connection ended within an answer's head: {so_far:?}");
        }
        let mut response = heads(&head).swap_remove(0);
        let length = response.header("content-length").map(|value| value.parse::<usize>().unwrap());
        let chunked =
            response.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        if matches!(response.status, 100..200 | 204 | 304) {
            return response;
        }
        response.body = match (chunked, length) {
            (true, _) => self.chunks(),
            (false, Some(length)) => self.exactly(length),
            (false, None) => self.rest(),
        };
        response
    }

    /// Reads this many bytes, past any head.
    #[track_caller]
    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads until the other side closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _reset_ends_it_too = self.reader.read_to_end(&mut bytes);
        bytes
    }

    /// Whether the other side closes without a further byte. One that only says
    /// nothing has not closed.
    pub fn closed(&mut self) -> bool {
        match self.reader.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            // With TLS, an end that was not announced is an error.
            Err(error) => {
                matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof)
            }
        }
    }

    /// The TCP connection itself.
    pub fn stream(&self) -> &TcpStream {
        &self.socket
    }

    #[track_caller]
    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(self.line().split(';').next().unwrap(), 16).unwrap();
            if size == 0 {
                while !self.line().is_empty() {}
                return body;
            }
            body.extend(self.exactly(size));
            self.exactly(2);
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

#[track_caller]
fn socket(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}
