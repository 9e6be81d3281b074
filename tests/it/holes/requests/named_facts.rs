//! A trusted proxy is believed in named facts; all else it passes on is the client's.

use crate::gateway::{Setup, reached, web};

#[test]
fn paths_and_names_that_a_client_claims_do_not_pass_a_trusted_proxy() {
    let more = "[[site]]\nhost = \"*\"\npath = \"/admin\"\nupstream = \"http://127.0.0.1:1\"\n\
                require = [\"user:bob\"]\n"
        .to_owned();
    for front in ["", "trusted_proxies = [\"127.0.0.0/8\"]"] {
        let gateway = Setup { front, more: more.clone(), ..Setup::default() }.start();
        let cookie = gateway.sign_on("alice");
        let claims = [
            "X-Original-URL",
            "X-Original-URI",
            "X-Original-Method",
            "X-Original-Host",
            "X-Rewrite-URL",
            "x_rewrite_url",
            "X-Forwarded-Uri",
            "X-Forwarded-Path",
            "X-Forwarded-Prefix",
            "X-Forwarded-Method",
            "X-Forwarded-User",
            "X-Forwarded-Email",
            "X-Forwarded-Groups",
            "X-Forwarded-Preferred-Username",
            "X.Forwarded.For",
            "X-Envoy-Original-Path",
            "X-Replaced-Path",
        ];
        let facts = [
            ("X-Forwarded-For", "192.0.2.7"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", "public.example"),
            ("X-Forwarded-Port", "8443"),
            ("X-Real-IP", "192.0.2.7"),
            ("Forwarded", "for=192.0.2.7"),
        ];
        let mut sent = vec![("Cookie", cookie.as_str())];
        sent.extend(claims.map(|name| (name, "/admin")));
        sent.extend(facts);
        let answer = gateway.connect().get(&web(), "/p", &sent);
        assert_eq!(answer.status, 200, "{answer:?}");
        for name in claims {
            assert_eq!(reached(&answer, name), [""; 0], "{front:?}: {name}");
        }
        for (name, value) in facts {
            let told = reached(&answer, name).join(", ");
            assert_eq!(
                told.contains(value),
                !front.is_empty() || name == "X-Forwarded-Proto",
                "{front:?}: {name}: {told}"
            );
        }
    }
}

#[test]
fn a_host_that_a_client_claims_through_a_trusted_proxy_leads_to_no_other_site() {
    let more = "[[site]]\nhost = \"pay.example\"\nupstream = \"http://127.0.0.1:1\"\n\
                require = [\"user:bob\"]\n"
        .to_owned();
    let front = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Setup { front, more, ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let status = |name: &str, value: &str| {
        let sent = [("Cookie", cookie.as_str()), (name, value)];
        gateway.connect().get(&web(), "/", &sent).status
    };
    let web = web();
    for (name, value) in [
        ("X-Forwarded-Host", "pay.example"),
        ("X-Forwarded-Host", "PAY.example.:443"),
        ("X-Forwarded-Host", &*format!("pay.example, {web}")),
        ("X-Forwarded-Host", &*format!("{web}, pay.example")),
        ("X-Forwarded-Host", "pay.example/x"),
        ("Forwarded", "for=192.0.2.7;host=pay.example"),
        ("Forwarded", "for=192.0.2.7; Host=\"pay.example:443\""),
    ] {
        assert_eq!(status(name, value), 400, "{name}: {value}");
    }
    for host in [&*web, "public.example"] {
        assert_eq!(status("X-Forwarded-Host", host), 200, "{host}");
    }
}
