//! An application that says exactly these bytes, and shows exactly what it was sent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use crate::lab::LIMIT;

/// A server for one connection after another.
pub struct Scripted {
    /// Where it listens, on loopback.
    pub port: u16,
    requests: Receiver<Vec<u8>>,
}

impl Scripted {
    /// Answers every connection with `answer` as soon as `is_enough` of a request has
    /// come, and closes.
    pub fn start(answer: Vec<u8>, is_enough: fn(&[u8]) -> bool) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, sender) = (answer.clone(), sender.clone());
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let request = read(&mut stream, is_enough);
                    let _closed = stream.write_all(&answer);
                    let _test_is_over = sender.send(request);
                });
            }
        });
        Scripted { port, requests }
    }

    /// The next request, as it came.
    #[track_caller]
    pub fn request(&self) -> String {
        let request = self.requests.recv_timeout(LIMIT).expect("nothing reached the application");
        String::from_utf8_lossy(&request).into_owned()
    }
}

/// A head and nothing more.
pub fn head(request: &[u8]) -> bool {
    request.windows(4).any(|end| end == b"\r\n\r\n")
}

/// A head, and a body that ends with its last chunk and trailers.
pub fn chunks(request: &[u8]) -> bool {
    let Some(body) = request.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let body = &request[body + 4..];
    let last = body.windows(3).position(|last| last == b"0\r\n");
    last.is_some_and(|last| body[last..].windows(4).any(|end| end == b"\r\n\r\n"))
}

fn read(stream: &mut TcpStream, is_enough: fn(&[u8]) -> bool) -> Vec<u8> {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while !is_enough(&request) {
        match stream.read(&mut part) {
            Ok(read) if read > 0 => request.extend(&part[..read]),
            _ => break,
        }
    }
    request
}
