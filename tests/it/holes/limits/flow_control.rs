//! Limits that watch TCP, where HTTP/2 has a flow of its own: a client that takes
//! nothing of its answers, or next to nothing, holds neither place nor memory.

use std::time::Duration;

use doorward::clock;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::h2::{
    CONTINUATION, DATA, END_STREAM, GOAWAY, HEADERS, Http2, PING, RST_STREAM, SETTINGS,
};
use crate::lab::http::Raw;
use crate::lab::{LIMIT, wait_until};

/// Short times, and as many places as a handful of clients can take.
fn gateway(front: &'static str) -> Gateway {
    Setup { front, ..Setup::default() }.start()
}

fn connect(gateway: &Gateway, window: u32) -> Http2 {
    Http2::connect(gateway.doorward.http_port(), &web(), window)
}

/// Asks as often as a client may at once.
fn ask_for_all(client: &mut Http2) {
    for _ in 0..128 {
        client.get(&[]);
    }
}

/// Answers pings until the gateway ends the connection.
#[track_caller]
fn assert_ended(client: &mut Http2) {
    let began = clock::instant();
    while client.keep_alive(Duration::from_millis(50)) {
        assert!(began.elapsed() < LIMIT, "the connection stands for ever");
    }
}

#[test]
fn a_window_of_zero_holds_no_connection() {
    let gateway = gateway("body_timeout = \"1s\"\nidle_timeout = \"60s\"");
    let mut silent = connect(&gateway, 0);
    ask_for_all(&mut silent);
    assert_ended(&mut silent);
    let mut asking = connect(&gateway, 0);
    ask_for_all(&mut asking);
    let began = clock::instant();
    // One that goes on asking is as silent.
    while asking.keep_alive(Duration::from_millis(50)) {
        asking.get(&[]);
        assert!(began.elapsed() < LIMIT, "the connection stands for ever");
    }
    let ended = gateway.metric("doorward_connections_ended_total{why=\"stopped_reading\"}");
    assert!(ended >= 1.0, "{ended}");
}

/// Takes what arrives for all of this time; false when the connection ends.
fn takes_for(client: &mut Http2, time: Duration) -> bool {
    let began = clock::instant();
    while let Some(left) = time.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
        if !client.keep_alive(left) {
            return false;
        }
    }
    true
}

#[test]
fn a_window_that_opens_byte_by_byte_holds_no_connection() {
    let gateway = gateway("body_timeout = \"1s\"\nidle_timeout = \"60s\"");
    let mut slow = connect(&gateway, 0);
    let stream = slow.get(&[("accept", "text/html")]);
    let (began, mut opened) = (clock::instant(), 0);
    while takes_for(&mut slow, Duration::from_millis(50)) {
        slow.open_window(stream, 1);
        opened += 1;
        assert!(began.elapsed() < LIMIT, "{opened} bytes hold a connection");
    }
    assert!(opened > 5, "it moved all the time");
}

#[test]
fn one_stalled_stream_among_live_ones_is_reset_and_the_others_live() {
    let gateway = gateway("body_timeout = \"3s\"");
    let cookie = gateway.sign_on("alice");
    let cookie = [("cookie", cookie.as_str())];
    let mut client = connect(&gateway, 20_000);
    client.open_window(0, 1 << 30);
    // More than the window: the application tells all that reached it.
    let large = "x".repeat(60_000);
    let stalled = client.get(&[cookie[0], ("x-large", &large)]);
    let began = clock::instant();
    loop {
        let live = client.get(&cookie);
        let frames = client.until(|frame| {
            frame.stream == live && frame.flags & END_STREAM != 0 && frame.kind <= HEADERS
        });
        assert!(!frames.is_empty(), "the connection was ended");
        assert!(frames.iter().all(|frame| frame.kind != GOAWAY), "{frames:?}");
        if frames.iter().any(|frame| frame.kind == RST_STREAM && frame.stream == stalled) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "the stalled stream stands for ever");
    }
    let after = client.get(&cookie);
    let frames = client.until(|frame| frame.stream == after && frame.kind == DATA);
    assert!(frames.iter().any(|frame| frame.stream == after && frame.kind == DATA));
}

#[test]
fn a_newcomer_is_served_while_others_hold_every_place() {
    let front = "max_connections = 20\nmax_connections_per_address = 20\n\
                 header_timeout = \"120s\"\nidle_timeout = \"120s\"\nbody_timeout = \"120s\"";
    let gateway = gateway(front);
    let mut holding: Vec<Http2> = (0..20).map(|_| connect(&gateway, 0)).collect();
    for client in &mut holding {
        client.get(&[]);
        let frames = client.until(|frame| frame.kind == HEADERS);
        assert!(!frames.is_empty(), "it has its place");
    }
    let mut newcomers: Vec<Raw> = (0..3).map(|_| gateway.connect()).collect();
    for newcomer in &mut newcomers {
        assert_eq!(newcomer.get(&web(), "/", &[]).status, 401);
    }
    let ended = holding.iter_mut().map(|client| takes_for(client, Duration::from_millis(30)));
    assert!(ended.filter(|alive| !alive).count() >= 3, "each newcomer took one place");
}

#[test]
fn the_idlest_gives_way_and_an_open_request_that_moves_does_not() {
    let front = "max_connections = 3\nmax_connections_per_address = 3\nidle_timeout = \"120s\"";
    let gateway = gateway(front);
    let cookie = gateway.sign_on("alice");
    let mut download = gateway.connect();
    download
        .send(format!("GET /stream/64 HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", web()));
    let mut idle: Vec<Raw> = (0..2).map(|_| gateway.connect()).collect();
    for connection in &mut idle {
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
        download.exactly(1 << 20);
    }
    let mut newcomer = gateway.connect();
    assert_eq!(newcomer.get(&web(), "/", &[]).status, 401);
    assert!(idle[0].closed(), "idle for longest");
    assert_eq!(idle[1].get(&web(), "/", &[]).status, 401);
    download.exactly(32 << 20);
}

#[test]
fn one_address_takes_its_share_of_the_places_only() {
    let front = "max_connections = 100\nmax_connections_per_address = 4\nidle_timeout = \"120s\"";
    let gateway = gateway(front);
    let mut ours: Vec<Raw> = (0..6).map(|_| gateway.connect()).collect();
    for connection in &mut ours[2..] {
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
    }
    assert!(ours[0].closed() && ours[1].closed(), "the two that came first");
    let front = "max_connections = 100\nmax_connections_per_address = 4\n\
                 trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = self::gateway(front);
    let mut proxys: Vec<Raw> = (0..8).map(|_| gateway.connect()).collect();
    for connection in &mut proxys {
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
    }
}

#[test]
fn what_a_client_does_not_take_is_bounded_for_each_connection() {
    let gateway = gateway("body_timeout = \"60s\"");
    let warm = connect(&gateway, 0);
    drop(warm);
    let before = resident(&gateway);
    let mut holding: Vec<Http2> = (0..30).map(|_| connect(&gateway, 0)).collect();
    for client in &mut holding {
        ask_for_all(client);
    }
    for client in &mut holding {
        let answers = std::cell::Cell::new(0);
        client.until(|frame| {
            answers.set(answers.get() + u32::from(frame.kind == HEADERS));
            answers.get() == 128
        });
        assert_eq!(answers.get(), 128, "every request has the head of its answer");
    }
    let after = resident(&gateway);
    assert!(after - before < 30 * 800, "{} KB for 30 connections", after - before);
}

fn resident(gateway: &Gateway) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", gateway.doorward.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_flood_of_frames_that_ask_for_nothing_ends_its_connection() {
    let gateway = gateway("body_timeout = \"2s\"\nidle_timeout = \"2s\"\nheader_timeout = \"2s\"");
    // Requests that are taken back at once (CVE-2023-44487).
    let mut resetting = connect(&gateway, 65_535);
    for _ in 0..4_000 {
        let stream = resetting.get(&[]);
        resetting.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    }
    assert_ended(&mut resetting);
    // A head without an end (VU#421644).
    let mut endless = connect(&gateway, 65_535);
    endless.send(HEADERS, 0, 1, &[]);
    for _ in 0..4_000 {
        endless.send(CONTINUATION, 0, 1, &[0, 1, b'a', 1, b'b']);
    }
    assert_ended(&mut endless);
    // Pings and settings: they are answered, and do not count as use.
    let mut pinging = connect(&gateway, 65_535);
    let began = clock::instant();
    while pinging.keep_alive(Duration::from_millis(5)) {
        pinging.send(PING, 0, 0, &[0; 8]);
        pinging.send(SETTINGS, 0, 0, &[]);
        assert!(began.elapsed() < LIMIT, "pings hold a connection");
    }
    // A body of empty frames is no movement.
    let cookie = gateway.sign_on("alice");
    let mut empty = connect(&gateway, 65_535);
    let stream = empty.request("POST", &[("cookie", &cookie)], false);
    wait_until(LIMIT, "an end of the empty frames", || {
        empty.send(DATA, 0, stream, &[]);
        match empty.poll(Duration::from_millis(5)) {
            Ok(Some(frame)) => (frame.stream == stream).then_some(()),
            Ok(None) => None,
            Err(()) => Some(()),
        }
    });
    assert_eq!(gateway.connect().get(&web(), "/", &[]).status, 401);
}
