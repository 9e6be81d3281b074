//! A second NTLM client, the crate `ntlmclient`: others wrote it, and it shares no code
//! with the gateway or with `doorward probe`. Readings of one specification that were
//! made apart check each other.
//!
//! It makes plain exchanges. It has no channel binding, no name of a service and no
//! message integrity code, and no place for them in its messages. So it cannot replace
//! the probe's own client, and it signs on only where a gateway asks for none of these.
//! Samba and the gateway check the code where the client's answer promises one, so an
//! answer without it is taken, although the challenge tells the server's time.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use ntlmclient::{Credentials, Flags, Message, NegotiateMessage};

use super::{Ntlm, PROTOCOLS, assert_is, reason};
use crate::gateway::{Setup, web};
use crate::lab::doorward::program;
use crate::lab::http::{Raw, Response};
use crate::lab::{LIMIT, realm};

fn of_domain(user: &str, password: &str) -> Credentials {
    Credentials {
        username: user.to_owned(),
        password: password.to_owned(),
        domain: realm().domain.clone(),
    }
}

/// Signs on as the example in the crate's documentation does.
#[track_caller]
fn sign_on(connection: &mut Raw, who: &Credentials) -> Response {
    let negotiate = Message::Negotiate(NegotiateMessage {
        flags: Flags::NEGOTIATE_UNICODE | Flags::REQUEST_TARGET | Flags::NEGOTIATE_NTLM,
        supplied_domain: String::new(),
        supplied_workstation: String::new(),
        os_version: ntlmclient::OsVersion::default(),
    });
    let asked = send(connection, &negotiate);
    assert_eq!((asked.status, reason(&asked).as_str()), (401, "exchange_open"));
    let offered = asked.all("www-authenticate").find_map(|value| value.strip_prefix("NTLM "));
    let challenge = STANDARD.decode(offered.expect("a challenge")).unwrap();
    let Ok(Message::Challenge(challenge)) = Message::try_from(challenge.as_slice()) else {
        panic!("no challenge: {asked:?}");
    };
    let information: Vec<u8> =
        challenge.target_information.iter().flat_map(|entry| entry.to_bytes()).collect();
    let now = ntlmclient::get_ntlm_time();
    let response =
        ntlmclient::respond_challenge_ntlm_v2(challenge.challenge, &information, now, who);
    let flags = Flags::NEGOTIATE_UNICODE | Flags::NEGOTIATE_NTLM;
    send(connection, &response.to_message(who, "", flags))
}

#[track_caller]
fn send(connection: &mut Raw, message: &Message) -> Response {
    let token = format!("NTLM {}", STANDARD.encode(message.to_bytes().unwrap()));
    connection.get(&web(), "/", &[("Authorization", &token)])
}

/// Whether `doorward probe` signs on.
#[track_caller]
fn probe_signs_on(url: &str, who: &Credentials) -> bool {
    let user = format!(r"{}\{}", who.domain, who.username);
    let mut command = program();
    command.args(["probe", url, "--ntlm", "--user", &user, "--insecure"]);
    let output = command.env("DOORWARD_PASSWORD", &who.password).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let refused = said.contains("did not accept the third message. logon_failed: ");
    assert!(output.status.success() != refused, "{said}");
    !refused
}

#[test]
fn it_signs_on_with_the_right_password_and_no_other() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let alice = of_domain("alice", realm().password("alice"));
        assert_is(&sign_on(&mut gateway.connect(), &alice), "alice");
        let wrong = sign_on(&mut gateway.connect(), &of_domain("alice", "wrong"));
        assert_eq!((wrong.status, reason(&wrong).as_str()), (401, "logon_failed"), "{protocol}");
    }
}

#[test]
fn it_and_the_probe_are_taken_and_refused_alike() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let password = |user: &str| realm().password(user);
    let upper = realm().add_user("Åsa Öst");
    for (user, password, taken) in [
        ("alice", password("alice"), true),
        ("ALICE", password("alice"), true),
        ("alice", "wrong", false),
        ("nobody-at-all", "wrong", false),
        ("carol", password("carol"), false),
        ("jürgen", password("jürgen"), true),
        ("JÜRGEN", password("jürgen"), true),
        ("åsa öst", &upper, true),
    ] {
        let who = of_domain(user, password);
        let answer = sign_on(&mut gateway.connect(), &who);
        assert_eq!(answer.status == 200, taken, "{user}: {answer:?}");
        assert_eq!(probe_signs_on(&gateway.doorward.url("/"), &who), taken, "{user}");
    }
}

/// Windows makes capitals one by one, and so does the probe; this client capitalizes a
/// name as a whole.
#[test]
fn a_name_that_grows_in_capitals_is_the_probe_s_alone() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let who = of_domain("groß", &realm().add_user("groß"));
    assert!(probe_signs_on(&gateway.doorward.url("/"), &who));
    assert_eq!(reason(&sign_on(&mut gateway.connect(), &who)), "logon_failed");
}

#[test]
fn without_a_channel_binding_it_is_refused_where_one_is_required() {
    let setup = Setup { sso: "channel_binding = \"require\"", ..Setup::default() };
    let strict = Ntlm::start_with(PROTOCOLS[0], "", setup);
    let alice = of_domain("alice", realm().password("alice"));
    let refused = sign_on(&mut strict.connect_tls(), &alice);
    assert_eq!((refused.status, reason(&refused).as_str()), (401, "binding_missing"));
}

/// A challenge of Samba's ntlm_auth 4.17, at the domain LAB on the computer DC1.
const CHALLENGE: &str = "TlRMTVNTUAACAAAABgAGADgAAAAFgomiMUcMJ8rPLn0AAAAAAAAAADAAMAA+AAAABgEAAAAAAA9M\
                         AEEAQgACAAYATABBAEIAAQAGAEQAQwAxAAQAAAADAAQAdgBtAAcACAAS1YRTkXrdAQAAAAA=";

#[test]
fn it_reads_the_probe_s_messages_and_comes_to_the_same_keys() {
    let (port, answers) = challenger();
    let who = of_domain("jürgen", "Päßwort 1");
    let mut probe = program();
    probe.args(["probe", &format!("http://127.0.0.1:{port}/"), "--ntlm"]);
    probe.args(["--user", r"LAB\jürgen"]).env("DOORWARD_PASSWORD", &who.password);
    probe.output().unwrap();
    let [negotiate, mut bytes] = [(); 2].map(|()| answers.recv_timeout(LIMIT).unwrap());

    let Ok(Message::Authenticate(read)) = Message::try_from(bytes.as_slice()) else {
        panic!("unread: {bytes:x?}");
    };
    assert_eq!((read.domain_name.as_str(), read.user_name.as_str()), ("LAB", "jürgen"));
    assert_eq!(read.lm_response, [0; 24]);
    assert_eq!(read.session_key, [0; 0]);
    let challenge = STANDARD.decode(CHALLENGE).unwrap();
    let (proof, covered) = read.ntlm_response.split_first_chunk::<16>().unwrap();
    let key = ntlmclient::ntlm_v2_password_func(&who);
    assert_eq!(*proof, hmac_md5(&key, &[&challenge[24..32], covered]));
    // The code over all three messages, by a session key that was not exchanged.
    let code = bytes[72..88].to_vec();
    bytes[72..88].fill(0);
    let session = hmac_md5(&key, &[proof]);
    assert_eq!(code, hmac_md5(&session, &[&negotiate, &challenge, &bytes]));
}

/// A server that answers the first message with [`CHALLENGE`], and hands out both
/// messages of its client.
fn challenger() -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, messages) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || challenge(stream.unwrap(), &sender));
        }
    });
    (port, messages)
}

fn challenge(stream: TcpStream, messages: &Sender<Vec<u8>>) {
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    loop {
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        if head.is_empty() {
            return;
        }
        let token = head.iter().find_map(|line| line.split_once("NTLM "));
        let message = token.map(|(_, token)| STANDARD.decode(token).unwrap());
        let (status, offer) = match message.as_ref().map(|message| message[8]) {
            None => ("401 Unauthorized", "NTLM".to_owned()),
            Some(1) => ("401 Unauthorized", format!("NTLM {CHALLENGE}")),
            Some(_) => ("200 OK", String::new()),
        };
        if let Some(message) = message {
            let _the_test_is_over = messages.send(message);
        }
        let head =
            format!("HTTP/1.1 {status}\r\nWWW-Authenticate: {offer}\r\nContent-Length: 0\r\n\r\n");
        writer.write_all(head.as_bytes()).unwrap();
    }
}

fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = <Hmac<Md5> as KeyInit>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
