//! HTTP/2 frame by frame, for clients that no library would be.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::lab::LIMIT;

/// A frame (RFC 9113 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// A connection with prior knowledge, over plain HTTP.
pub struct Http2 {
    socket: TcpStream,
    authority: String,
    next: u32,
}

impl Http2 {
    /// Connects, and says which window each stream has at first.
    #[track_caller]
    pub fn connect(port: u16, authority: &str, window: u32) -> Http2 {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut client = Http2 { socket, authority: authority.to_owned(), next: 1 };
        let mut settings = vec![0, 4];
        settings.extend(window.to_be_bytes());
        client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        client.send(SETTINGS, 0, 0, &settings);
        client
    }

    /// Begins a request; without a body it ends with its head. The stream's number.
    pub fn request(&mut self, method: &str, headers: &[(&str, &str)], ends: bool) -> u32 {
        self.request_to(method, "/", headers, ends)
    }

    /// The same for another path.
    pub fn request_to(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        ends: bool,
    ) -> u32 {
        let stream = self.next;
        self.next += 2;
        let authority = self.authority.clone();
        let pseudo =
            [(":method", method), (":scheme", "http"), (":path", path), (":authority", &authority)];
        let mut block = Vec::new();
        for (name, value) in pseudo.iter().chain(headers) {
            literal(&mut block, name, value);
        }
        let end = if ends { END_STREAM } else { 0 };
        let (first, rest) = block.split_at(block.len().min(FRAME));
        let last = if rest.is_empty() { END_HEADERS } else { 0 };
        self.send(HEADERS, end | last, stream, first);
        let mut rest = rest.chunks(FRAME).peekable();
        while let Some(part) = rest.next() {
            let last = if rest.peek().is_none() { END_HEADERS } else { 0 };
            self.send(CONTINUATION, last, stream, part);
        }
        stream
    }

    /// Ends a request's body with trailers.
    pub fn trailers(&mut self, stream: u32, trailers: &[(String, &str)]) {
        let mut block = Vec::new();
        for (name, value) in trailers {
            literal(&mut block, name, value);
        }
        self.send(HEADERS, END_STREAM | END_HEADERS, stream, &block);
    }

    /// A GET of `/`.
    pub fn get(&mut self, headers: &[(&str, &str)]) -> u32 {
        self.request("GET", headers, true)
    }

    /// Opens a stream's window, or with 0 the connection's, by so much.
    pub fn open_window(&mut self, stream: u32, more: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &more.to_be_bytes());
    }

    /// Sends a frame. That the other side has closed is no error.
    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        self.write(&bytes);
    }

    fn write(&mut self, bytes: &[u8]) {
        let _closed = self.socket.write_all(bytes);
    }

    /// The next frame; settings and pings are answered on the way. `None`: the
    /// connection has ended.
    #[track_caller]
    pub fn frame(&mut self) -> Option<Frame> {
        loop {
            let frame = self.read()?;
            match (frame.kind, frame.flags & ACK) {
                (SETTINGS, 0) => self.send(SETTINGS, ACK, 0, &[]),
                (PING, 0) => self.send(PING, ACK, 0, &frame.payload),
                (SETTINGS | PING | WINDOW_UPDATE, _) => {}
                _ => return Some(frame),
            }
        }
    }

    /// Frames until one is wanted, with that one; without it, the connection has ended.
    pub fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.frame() {
            let found = wanted(&frame);
            frames.push(frame);
            if found {
                break;
            }
        }
        frames
    }

    /// What arrives within this time, pings and settings answered; `Err`: the
    /// connection has ended.
    pub fn poll(&mut self, time: Duration) -> Result<Option<Frame>, ()> {
        self.socket.set_read_timeout(Some(time)).unwrap();
        let peeked = self.socket.peek(&mut [0; 1]);
        self.socket.set_read_timeout(Some(LIMIT)).unwrap();
        match peeked {
            Ok(0) => return Err(()),
            Ok(_) => {}
            Err(error) => {
                let silent = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                return if silent { Ok(None) } else { Err(()) };
            }
        }
        let frame = self.read().ok_or(())?;
        match (frame.kind, frame.flags & ACK) {
            (SETTINGS, 0) => self.send(SETTINGS, ACK, 0, &[]),
            (PING, 0) => self.send(PING, ACK, 0, &frame.payload),
            _ => return Ok(Some(frame)),
        }
        Ok(None)
    }

    /// Takes what arrives within this time; false when the connection has ended.
    pub fn keep_alive(&mut self, time: Duration) -> bool {
        self.poll(time).is_ok()
    }

    #[track_caller]
    fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        if let Err(error) = self.socket.read_exact(&mut head) {
            let silent = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            assert!(!silent, "the other side says nothing and does not close");
            return None;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload).ok()?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }
}

/// The error code of a RST_STREAM frame.
pub fn code(frame: &Frame) -> u32 {
    u32::from_be_bytes(frame.payload[..4].try_into().unwrap())
}

/// A header field that is neither compressed nor remembered (RFC 7541 section 6.2.2).
fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0);
    for text in [name, value] {
        // An integer with a prefix of seven bits (RFC 7541 section 5.1).
        if text.len() < 127 {
            block.push(u8::try_from(text.len()).unwrap());
        } else {
            block.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                block.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            block.push(u8::try_from(rest).unwrap());
        }
        block.extend(text.as_bytes());
    }
}

const FRAME: usize = 16_000;
