//! Faults of the applications behind the gateway.

use std::io::Write;
use std::net::TcpListener;

use crate::doctor::{Fault, OTHERWISE, Site, cause, says};
use crate::gateway::Setup;
use crate::lab::{Doorward, Pki, servers};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "A1",
        what: "The application is down",
        site: || before("127.0.0.1:1"),
        check: says(&["127.0.0.1 port 1: Connection refused"], &["start the application"]),
        probe: cause(&["Signed on, but application_down", "is not running"]),
        page: cause(&["You are signed on, but the application", "is not running"]),
        log: says(&["127.0.0.1:1 cannot be reached"], &["is it running", "site.upstream"]),
        ..OTHERWISE
    },
    Fault {
        id: "A2",
        what: "The application's name is unknown",
        site: || before("no-such-application.invalid:80"),
        check: says(
            &["no-such-application.invalid port 80: "],
            &["correct the host in upstream", "DNS"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "A3",
        what: "The application speaks TLS instead of plain HTTP",
        site: || {
            let pki = Pki::new();
            let nginx = servers::nginx(&format!(
                "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; \
                 ssl_certificate_key {}; }}",
                pki.text("core.crt"),
                pki.text("core.key")
            ));
            before(&format!("127.0.0.1:{}", nginx.port)).keep((nginx, pki))
        },
        check: says(&["speaks TLS", "plain HTTP"], &["plain HTTP port in upstream"]),
        probe: says(
            &["Signed on, but", "it speaks TLS"],
            &["Set upstream of the site to its HTTP port"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "A4",
        what: "The application's port speaks another protocol",
        site: || {
            let greets = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = greets.local_addr().unwrap();
            std::thread::spawn(move || {
                for stream in greets.incoming() {
                    // The client may be gone already.
                    let _ = stream.and_then(|mut stream| stream.write_all(b"SSH-2.0-Lab\r\n"));
                }
            });
            before(&address.to_string())
        },
        check: says(&["speaks SSH, not HTTP"], &["correct the port in upstream"]),
        probe: cause(&["Signed on, but application_"]),
        page: cause(&["You are signed on, but"]),
        ..OTHERWISE
    },
    Fault {
        id: "A5",
        what: "The application asks for a sign-on of its own",
        site: || {
            let nginx = servers::nginx(
                "server { listen 127.0.0.1:{port}; auth_basic own; auth_basic_user_file /dev/null; }",
            );
            before(&format!("127.0.0.1:{}", nginx.port)).keep(nginx)
        },
        check: says(
            &["answers GET / with 401", "a sign-on of its own (Basic)"],
            &["switch the application's own sign-on off", "Remote-User"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "A6",
        what: "The application's address is a gateway's",
        site: || {
            let other = Doorward::serve(&Setup::default().config(1));
            before(&format!("127.0.0.1:{}", other.http_port())).keep(other)
        },
        check: says(
            &["answers GET / with 401, and is itself a Doorward"],
            &["name the application's own address in upstream"],
        ),
        ..OTHERWISE
    },
];

/// A site before the application at this address.
fn before(address: &str) -> Site {
    let config = Setup::default().config(1);
    Site::of(&config.replace("127.0.0.1:1\"", &format!("{address}\"")))
}
