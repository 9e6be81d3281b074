//! What passes between client and application: bodies, tunnels, failures.

use std::io::{Read, Write};
use std::process::Command;

use crate::gateway::{Gateway, Setup, reached, web};
use crate::lab::{LIMIT, curl, realm, wait_until};

#[test]
fn bodies_of_any_size_stream_in_both_directions() {
    let gateway = Gateway::start();
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    let file = realm().dir.join("large-upload");
    std::fs::write(&file, vec![b'u'; 64 << 20]).unwrap();
    let upload = format!("@{}", file.display());
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let down = gateway.get(None, "/stream/64", &[version, "-H", &cookie]);
        assert_eq!((down.status, down.body.len()), (200, 64 << 20), "{version}");
        let up = gateway.get(None, "/", &[version, "-H", &cookie, "--data-binary", &upload]);
        assert_eq!(up.json()["body_length"], 64 << 20, "{version}");
        let chunked = ["-H", "Transfer-Encoding: chunked"];
        let args =
            [&[version, "-H", &cookie, "--data-binary", &upload], chunked.as_slice()].concat();
        let up = gateway.get(None, "/", if version == "--http1.1" { &args } else { &args[..5] });
        assert_eq!(up.json()["body_length"], 64 << 20, "{version}");
    }
    let resident = resident_megabytes(&gateway);
    assert!(resident < 150, "{resident} MB after 256 MB have passed");
}

fn resident_megabytes(gateway: &Gateway) -> u64 {
    let id = gateway.doorward.id();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn an_upgraded_connection_is_a_tunnel_that_ends_with_the_session() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let mut tunnel = gateway.connect();
    let answer = tunnel.get(
        &web(),
        "/upgrade",
        &[("Cookie", &cookie), ("Connection", "Upgrade"), ("Upgrade", "websocket")],
    );
    assert_eq!(answer.status, 101, "{answer:?}");
    for piece in [b"first".as_slice(), &[0xff; 70_000]] {
        let mut write = tunnel.stream().try_clone().unwrap();
        let piece = piece.to_vec();
        let length = piece.len();
        let sender = std::thread::spawn(move || write.write_all(&piece).unwrap());
        assert_eq!(tunnel.exactly(length).len(), length);
        sender.join().unwrap();
    }
    assert_eq!(gateway.metric("doorward_tunnels ") as u64, 1);
    let mut other = gateway.connect();
    other.send(format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nContent-Length: 0\r\n\r\n",
        web()
    ));
    assert_eq!(other.response().status, 200);
    let mut end = [0; 1];
    assert_eq!(tunnel.stream().read(&mut end).unwrap_or(0), 0);
    wait_until(LIMIT, "the tunnel's end", || {
        (gateway.metric("doorward_tunnels ") as u64 == 0).then_some(())
    });
}

#[test]
fn an_application_that_is_down_gives_502_with_a_reference_number() {
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/down\"\nupstream = \"http://127.0.0.1:{}\"",
        crate::lab::free_port()
    );
    let gateway = Setup { more, ..Setup::default() }.start();
    let answer = gateway.get(Some(&realm().ticket("alice")), "/down", &[]);
    assert_eq!(answer.status, 502, "{answer:?}");
    let reference = answer.json()["reference"].as_str().unwrap().to_owned();
    gateway.doorward.wait_log("the failure", |line| line["reference"] == reference.as_str());
}

#[test]
fn an_application_that_is_slow_gives_504() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/slow\"\nupstream = \"http://{}\"",
        silent.local_addr().unwrap()
    );
    let gateway = Setup { more, front: "answer_timeout = \"1s\"", ..Setup::default() }.start();
    let answer = gateway.get(Some(&realm().ticket("alice")), "/slow", &[]);
    assert_eq!(answer.status, 504, "{answer:?}");
}

#[test]
fn methods_statuses_and_cookies_of_the_application_pass_unchanged() {
    let gateway = Gateway::start();
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    for method in ["PUT", "DELETE", "PROPFIND", "OPTIONS"] {
        let answer = gateway.get(None, "/x", &["-X", method, "-H", &cookie]);
        assert_eq!(answer.json()["method"], method);
    }
    for status in ["204", "304", "404", "500"] {
        let answer = gateway.get(None, &format!("/status/{status}"), &["-H", &cookie]);
        assert_eq!(answer.status.to_string(), status);
    }
    let head = gateway.get(None, "/x", &["--head", "-H", &cookie]);
    assert_eq!(head.status, 200);
    let set = gateway.get(None, "/setcookie", &["-H", &cookie]);
    assert_eq!(set.all("set-cookie").collect::<Vec<_>>(), ["one=1; Path=/", "two=2; HttpOnly"]);
}

#[test]
fn the_longest_path_of_a_host_serves_and_an_ambiguous_one_is_refused() {
    let app = crate::lab::servers::app();
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/admin\"\nupstream = \"http://127.0.0.1:{}\"\n\
         require = [\"user:bob\"]",
        app.port
    );
    let gateway = Setup { more, ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let status = |path: &str| gateway.connect().get(&web(), path, &[("Cookie", &cookie)]).status;
    assert_eq!(status("/administrator"), 200);
    assert_eq!(status("/admin"), 403);
    assert_eq!(status("/admin/x"), 403);
    for path in [
        "/%61dmin",
        "/x/../admin",
        "//admin",
        "/./admin",
        "/x/%2e%2e/admin",
        "/ADMIN",
        "/admin;x/y",
    ] {
        assert!([400, 403].contains(&status(path)), "{path}: {}", status(path));
    }
    assert_eq!(status("/group%2Fproject"), 200);
}

#[test]
fn a_host_that_two_programs_read_differently_is_refused() {
    let app = crate::lab::servers::app();
    let more = format!(
        "[[site]]\nhost = \"{}\"\nupstream = \"http://127.0.0.1:{}\"\nrequire = [\"user:bob\"]",
        web(),
        app.port
    );
    let gateway = Setup { more, ..Setup::default() }.start();
    let cookie = gateway.sign_on_anywhere("alice");
    let name = web();
    let status = |request: String| {
        let mut connection = gateway.connect();
        connection.send(format!("{request}Cookie: {cookie}\r\n\r\n"));
        connection.response().status
    };
    assert_eq!(status(format!("GET / HTTP/1.1\r\nHost: {name}\r\n")), 403);
    assert_eq!(status(format!("GET / HTTP/1.1\r\nHost: {name}.:80\r\n")), 403);
    for host in [
        format!("x@{name}"),
        format!("x@{name}:80"),
        format!("other.example, {name}"),
        format!("[::1]{name}"),
        format!("other.example:80@{name}"),
        format!("other.example:{name}"),
        format!("other.example/{name}"),
    ] {
        assert_eq!(status(format!("GET / HTTP/1.1\r\nHost: {host}\r\n")), 400, "{host}");
    }
    assert_eq!(status(format!("GET http://x@{name}/ HTTP/1.0\r\n")), 400);
}

#[test]
fn a_request_for_no_site_is_404_and_connect_is_not_served() {
    let setup = Setup::default();
    let app = crate::lab::servers::app();
    let config = setup.config(app.port).replace("host = \"*\"", "host = \"only.example\"");
    let gateway = Gateway { doorward: crate::lab::Doorward::serve(&config), app };
    assert_eq!(gateway.get(Some(&realm().ticket("alice")), "/", &[]).status, 404);
    let mut connection = gateway.connect();
    connection.send("CONNECT web.lab.example:443 HTTP/1.1\r\nHost: web.lab.example:443\r\n\r\n");
    assert_eq!(connection.response().status, 405);
}

#[test]
fn a_large_post_without_a_ticket_is_answered_401() {
    let gateway = Gateway::start();
    let file = realm().dir.join("refused-upload");
    std::fs::write(&file, vec![b'u'; 8 << 20]).unwrap();
    let upload = format!("@{}", file.display());
    let url = gateway.doorward.url("/");
    let answer = curl(None, &["--data-binary", &upload, &url]);
    assert_eq!(answer.status, 401);
    // With a ticket curl asks first (Expect: 100-continue), and sends the body once.
    let alice = realm().ticket("alice");
    let answer = curl(Some(&alice), &["--data-binary", &upload, &url]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["body_length"], 8 << 20);
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
}

#[test]
fn the_gateway_lets_open_requests_finish_when_it_is_told_to_stop() {
    let mut gateway = Gateway::start();
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    let mut download = Command::new("curl")
        .args([
            "--silent",
            "--limit-rate",
            "20M",
            "-H",
            &cookie,
            "-o",
            "/dev/null",
            "-w",
            "%{size_download}",
        ])
        .arg(gateway.doorward.url("/stream/48"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(LIMIT, "the download's begin", || {
        (gateway.metric("doorward_session_requests_total") as u64 > 0).then_some(())
    });
    let ended = gateway.doorward.stop();
    assert!(ended.success(), "{ended:?}");
    let audit = gateway.doorward.audit();
    assert!(audit.iter().any(|line| line["outcome"] == "granted"), "{audit:?}");
    let mut said = String::new();
    download.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    download.wait().unwrap();
    assert_eq!(said, (48 << 20).to_string());
}
