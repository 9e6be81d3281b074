//! The pages and answers say what can be known of a request.

use crate::gateway::{Gateway, Setup, cookie_of, web};
use crate::lab::{LIMIT, realm, wait_until};

/// What a program is told.
fn message(gateway: &Gateway, host: &str, headers: &[(&str, &str)]) -> String {
    gateway.connect().get(host, "/", headers).json()["message"].as_str().unwrap().to_owned()
}

/// What a person reads, without tags.
fn page(gateway: &Gateway, host: &str, headers: &[(&str, &str)]) -> String {
    let headers = [headers, &[("Accept", "text/html")]].concat();
    let html = gateway.connect().get(host, "/", &headers).text();
    let words: Vec<&str> = html.split(['<', '>']).skip(2).step_by(2).collect();
    words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_names_the_cause_that_can_be_known_and_the_setting_for_this_site() {
    let gateway = Gateway::start();
    wait_until(LIMIT, "the first look at the keytab", || {
        (gateway.status("/ready").status == 200).then_some(())
    });
    let web = web();
    let port = gateway.doorward.http_port();
    for (host, headers, words) in [
        (
            web.clone(),
            &[][..],
            vec![
                "list of trusted sites".to_owned(),
                format!("AuthServerAllowlist = {web}"),
                format!("network.negotiate-auth.trusted-uris = http://{web}"),
                format!("klist get HTTP/{web}"),
            ],
        ),
        (
            format!("127.0.0.1:{port}"),
            &[],
            vec!["the address 127.0.0.1".to_owned(), "tickets are for names only".to_owned()],
        ),
        (
            "web".to_owned(),
            &[],
            vec!["the short name web".to_owned(), format!("Use http://{web}/")],
        ),
        (
            "intranet.lab.example".to_owned(),
            &[],
            vec!["no key for the name intranet.lab.example".to_owned()],
        ),
        (
            web.clone(),
            &[("X-Forwarded-Proto", "https")],
            vec!["came through 127.0.0.1".to_owned(), "trusted_proxies".to_owned()],
        ),
    ] {
        let (said, shown) = (message(&gateway, &host, headers), page(&gateway, &host, headers));
        for word in words {
            assert!(said.contains(&word), "{host}: {word} is missing in {said}");
            assert!(shown.contains(&word), "{host}: {word} is missing in {shown}");
        }
    }
}

#[test]
fn what_a_client_writes_is_escaped() {
    let gateway = Gateway::start();
    let html = gateway.connect().get("<script>", "/", &[("Accept", "text/html")]).text();
    assert!(!html.contains("<script>"), "{html}");
}

#[test]
fn where_sign_ons_are_bound_to_tls_plain_http_is_told_to_use_it() {
    let gateway = Setup { sso: "channel_binding = \"require\"", ..Setup::default() }.start();
    assert!(message(&gateway, &web(), &[]).contains("you used plain HTTP. Use https://"));
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let answer = gateway.send_token(&token).json();
    assert_eq!(answer["error"], "binding_missing");
    assert!(answer["message"].as_str().unwrap().contains("Use https://"), "{answer}");
}

#[test]
fn a_password_by_way_of_an_unlisted_proxy_is_not_blamed_on_the_person() {
    let gateway = Setup { sso: "mechanisms = [\"basic\"]", ..Setup::default() }.start();
    let basic = ("Authorization", "Basic YTpi");
    let answer = gateway.connect().get(&web(), "/", &[basic, ("X-Forwarded-Proto", "https")]);
    assert_eq!((answer.status, &answer.json()["error"]), (403, &"basic_needs_tls".into()));
    let said = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("127.0.0.1, which says that the client used HTTPS"), "{said}");
    assert!(said.contains("list it in trusted_proxies"), "{said}");
    let plain = message(&gateway, &web(), &[basic]);
    assert!(plain.contains("change the password") && !plain.contains("proxy"), "{plain}");
}

#[test]
fn a_host_without_a_site_is_told_apart_from_a_proxy_that_does_not_pass_it_on() {
    let only = "[[site]]\nhost = \"web.lab.example\"\nupstream = \"http://127.0.0.1:1\"";
    let config = Setup::default()
        .config(1)
        .replace("[[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1:1\"", only);
    let app = crate::lab::servers::app();
    let gateway = Gateway { doorward: crate::lab::Doorward::serve(&config), app };
    let strange = gateway.connect().get("intranet", "/", &[]);
    assert_eq!((strange.status, &strange.json()["error"]), (404, &"no_site".into()));
    let said = strange.json()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("the host intranet") && !said.contains("web.lab"), "{said}");
    let logged = gateway.doorward.wait_log("no_site", |line| line["reason"] == "no_site");
    let detail = logged["detail"].as_str().unwrap();
    assert!(detail.contains("host intranet") && detail.contains("web.lab.example"), "{detail}");
    let said = message(&gateway, "127.0.0.1", &[]);
    assert!(said.contains("proxy_set_header Host"), "{said}");
}

#[test]
fn a_session_that_ended_says_why_and_when() {
    let gateway = Setup {
        core: "session_timeout = \"10s\"\nsession_unclaimed = \"10s\"",
        ..Setup::default()
    }
    .start();
    let ended = |cookie: &str| {
        let answer = gateway.connect().get(&web(), "/", &[("Cookie", cookie)]);
        let said = answer.json();
        (said["error"] == "session_ended").then(|| said["message"].as_str().unwrap().to_owned())
    };
    let audited = |reason: &str| {
        gateway
            .doorward
            .wait_audit(reason, |line| line["event"] == "session_end" && line["reason"] == reason)
    };
    let idle = gateway.sign_on("alice");
    assert_eq!(gateway.whoami(&idle).status, 200);
    // Asking would be a use of it.
    assert_eq!(audited("idle")["login"], "alice");
    let said = ended(&idle).unwrap();
    assert!(said.contains("was not used for a while"), "{said}");

    let left = gateway.sign_on("alice");
    assert_eq!(gateway.whoami(&left).status, 200);
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nCookie: {left}\r\nContent-Length: 0\r\n\r\n",
        web()
    ));
    assert_eq!(connection.response().status, 200);
    audited("logout");
    let said = ended(&left).unwrap();
    assert!(said.starts_with("You signed off at ") && said.contains(" UTC."), "{said}");
    assert!(
        ended("doorward=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            .is_none_or(|said| said.starts_with("Your session has ended"))
    );
}

#[test]
fn a_session_that_ends_with_its_ticket_says_so() {
    // The gateway's clock is ahead, so that a ticket of ten minutes ends soon there.
    let ahead = [
        ("LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
        ("FAKETIME", "+285s"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let app = crate::lab::servers::app();
    let config = Setup::default().config(app.port);
    let doorward = crate::lab::Doorward::start("serve", &config, &ahead);
    let gateway = Gateway { doorward, app };
    let short = realm().fresh_ticket("alice", &["-l", "5m"]).unwrap();
    let token = short.tokens(&web(), 1).remove(0);
    let cookie = cookie_of(&gateway.send_token(&token));
    let said = wait_until(LIMIT, "the ticket's end", || {
        let answer = gateway.connect().get(&web(), "/", &[("Cookie", &cookie)]);
        (answer.status == 401).then(|| answer.json()["message"].as_str().unwrap().to_owned())
    });
    assert!(said.starts_with("Your session ended with your Kerberos ticket, at "), "{said}");
    gateway.doorward.wait_audit("the end", |line| {
        line["event"] == "session_end" && line["reason"] == "ticket_end"
    });
    let clock = gateway.doorward.wait_log("the clock", |line| line["part"] == "clock");
    let said = clock["message"].as_str().unwrap();
    assert!(
        said.contains("4 min 4") && said.contains("ahead of the domain controller's"),
        "{said}"
    );
}

#[test]
fn each_kind_of_failing_application_has_its_own_words() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let speaks_ssh = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ssh_port = speaks_ssh.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in speaks_ssh.incoming() {
            // The client may be gone already.
            let _ = stream.and_then(|mut stream| {
                std::io::Write::write_all(&mut stream, b"SSH-2.0-Lab\r\n")?;
                // One that closes at once breaks off instead.
                std::io::copy(&mut stream, &mut std::io::sink())
            });
        }
    });
    for (port, status, errors, words) in [
        (1, 502, &["application_down"][..], "is not running, or cannot be reached"),
        // Whether its line has come whole when it is judged, is chance.
        (ssh_port, 502, &["application_down", "application_broken"], "answer"),
        (
            silent.local_addr().unwrap().port(),
            504,
            &["application_slow"],
            "took too long to answer",
        ),
    ] {
        let app = crate::lab::servers::app();
        let setup = Setup { front: "answer_timeout = \"1s\"", ..Setup::default() };
        let gateway = Gateway { doorward: crate::lab::Doorward::serve(&setup.config(port)), app };
        let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
        let answer = gateway.send_token(&token);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(answer.status == status && errors.contains(&error.as_str()), "{answer:?}");
        let said = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(said.starts_with("You are signed on, but ") && said.contains(words), "{said}");
        assert!(!said.contains("127.0.0.1"), "addresses are for the log: {said}");
        assert!(answer.header("set-cookie").is_some(), "{answer:?}");
        let line = gateway.doorward.wait_log(&error, |line| line["reason"] == *error);
        assert!(line["error"].as_str().unwrap().contains(&format!("127.0.0.1:{port}")), "{line}");
    }
}
