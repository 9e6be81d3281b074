//! The configurations of docs/forward-auth.md, taken out of it and run with the real
//! proxies.

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::http::Response;
use crate::lab::servers::{self, Server};
use crate::lab::{Ticket, curl, lab_path, realm};

/// The first block of this language behind this heading, with the lab's addresses.
fn block(gateway: &Gateway, heading: &str, language: &str) -> String {
    let document = std::fs::read_to_string(lab_path("../../docs/forward-auth.md")).unwrap();
    let (_, section) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, shown) = section.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = shown.split_once("```").unwrap();
    let (doorward, app) = (gateway.doorward.http_port(), gateway.app.port);
    block
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{doorward}"))
        .replace("127.0.0.1:9001", &format!("127.0.0.1:{app}"))
        .replace("port_value: 8080", &format!("port_value: {doorward}"))
        .replace("port_value: 9001", &format!("port_value: {app}"))
        .replace("web.adsdomain.example", &web())
}

fn gateway() -> Gateway {
    let more = "[[site]]\nhost = \"*\"\npath = \"/admin\"\nrequire = [\"user:bob\"]\n".to_owned();
    Setup { front: "trusted_proxies = [\"127.0.0.0/8\"]", more, ..Setup::default() }.start()
}

struct Asked<'a> {
    proxy: &'a Server,
    name: &'static str,
}

impl Asked<'_> {
    fn get(&self, ticket: Option<&Ticket>, path: &str, headers: &[&str]) -> Response {
        let url = format!("http://{}:{}{path}", web(), self.proxy.port);
        let mut args = Vec::new();
        for header in headers {
            args.extend(["-H", header]);
        }
        args.push(&url);
        curl(ticket, &args)
    }

    /// What every proxy has to do.
    fn check(&self) -> String {
        let name = self.name;
        let alice = realm().ticket("alice");
        let refused = self.get(None, "/", &[]);
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            (401, Some("Negotiate")),
            "{name}: {refused:?}"
        );
        let answer = self.get(Some(&alice), "/here", &[]);
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{name}");
        assert_eq!(reached(&answer, "Authorization"), [""; 0], "{name}");
        assert_eq!(reached(&answer, "Doorward-Assertion").len(), 1, "{name}");
        let ours = cookie_of(&answer);
        assert_eq!(self.get(Some(&alice), "/admin/x", &[]).status, 403, "{name}");
        for (sent, left) in [
            (ours.clone(), ""),
            (format!("theme=dark; {ours}"), "theme=dark"),
            (format!("{ours}; theme=dark"), "theme=dark"),
            (format!("doorward=x; {ours}; theme=dark; doorward=y"), "theme=dark"),
            (format!("__Host-doorward=x; a=1; {ours}; __Host-doorward={ours}; b=2"), "a=1; b=2"),
            (format!("{ours};{ours};{ours};{ours};{ours};{ours};c=3"), "c=3"),
        ] {
            let line = format!("Cookie: {sent}");
            let answer = self.get(None, "/", &[&line]);
            assert_eq!(answer.status, 200, "{name}: {sent}: {answer:?}");
            assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{name}");
            let told = reached(&answer, "Cookie").join("; ");
            let told = told.trim_matches([' ', ';']);
            assert_eq!(told, left, "{name}: {sent}");
        }
        self.nobody_claims_anything(&ours);
        ours
    }

    fn nobody_claims_anything(&self, ours: &str) {
        let name = self.name;
        let cookie = format!("Cookie: {ours}");
        for claim in [
            "Remote-User: bob",
            "Remote-Groups: admins",
            "Remote-Email: bob@lab.example",
            "Remote-Company: acme",
            "Remote_User: bob",
            "Remote_Groups: admins",
            "X-Original-URL: /admin",
            "X-Original-URI: /admin",
            "X-Rewrite-URL: /admin",
            "X-Forwarded-Prefix: /admin",
            "X-Forwarded-User: bob",
            "Forwarded: for=10.0.0.1;proto=https",
        ] {
            let answer = self.get(None, "/", &[&cookie, claim]);
            let (header, value) = claim.split_once(": ").unwrap();
            match answer.status {
                200 => {
                    assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{name}: {claim}");
                    let told = reached(&answer, header);
                    assert!(!told.contains(&value.to_owned()), "{name}: {claim} reached it");
                }
                // To refuse is right, too.
                status => assert_eq!(status, 400, "{name}: {claim}: {answer:?}"),
            }
        }
    }

    /// Cookies of the application pass, and those of our names do not.
    fn check_planting(&self, ours: &str) {
        let cookie = format!("Cookie: {ours}");
        let answer = self.get(None, "/plant", &[&cookie]);
        let set: Vec<_> = answer.all("set-cookie").collect();
        assert!(set.contains(&"own=1; Path=/"), "{}: {set:?}", self.name);
        assert!(!set.iter().any(|line| line.contains("doorward")), "{}: {set:?}", self.name);
    }

    fn check_signing_off(&self, ours: &str) {
        let url = format!("http://{}:{}/.doorward/", web(), self.proxy.port);
        let cookie = format!("Cookie: {ours}");
        let whoami = || curl(None, &["-H", &cookie, &format!("{url}whoami")]);
        assert_eq!(whoami().json()["user"]["login"], "alice", "{}", self.name);
        let left = curl(None, &["-X", "POST", "-H", &cookie, &format!("{url}logout")]);
        assert_eq!(left.status, 200, "{}: {left:?}", self.name);
        assert_eq!(whoami().status, 401, "{}", self.name);
        assert_eq!(self.get(None, "/", &[&cookie]).status, 401, "{}", self.name);
    }
}

#[test]
fn nginx() {
    let gateway = gateway();
    let locations = block(&gateway, "nginx", "nginx");
    let script = block(&gateway, "nginx", "javascript");
    let folder = crate::lab::temp_dir("njs-");
    let file = folder.path().join("doorward.js");
    std::fs::write(&file, script).unwrap();
    let filtered = locations.replacen(
        "proxy_pass http://application;",
        "js_header_filter doorward.keep_cookies;\n    proxy_pass http://application;",
        1,
    );
    let http = |locations: &str, import: &str| {
        format!(
            "{import}\nupstream doorward {{ server 127.0.0.1:{}; keepalive 4; }}\n\
             upstream application {{ server 127.0.0.1:{}; keepalive 4; }}\n\
             server {{ listen 127.0.0.1:{{port}};\n{locations}\n}}",
            gateway.doorward.http_port(),
            gateway.app.port
        )
    };
    let plain = servers::nginx(&http(&locations, ""));
    let import = format!("js_import {};", file.display());
    let with_script = servers::nginx_js(&http(&filtered, &import));
    for proxy in [&plain, &with_script] {
        let asked = Asked { proxy, name: "nginx" };
        let ours = asked.check();
        if std::ptr::eq(proxy, &with_script) {
            asked.check_planting(&ours);
        }
        asked.check_signing_off(&ours);
    }
    let told = Asked { proxy: &plain, name: "nginx" }.get(Some(&realm().ticket("alice")), "/", &[]);
    assert_eq!(told.header("persistent-auth"), Some("false"));
}

#[test]
fn caddy() {
    let gateway = gateway();
    let site = block(&gateway, "Caddy", "caddy");
    let site = site.replacen(&web(), &format!("http://{}:{{port}}", web()), 1);
    let proxy = servers::caddy(&format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}"));
    let asked = Asked { proxy: &proxy, name: "caddy" };
    let ours = asked.check();
    asked.check_planting(&ours);
    asked.check_signing_off(&ours);
}

#[test]
fn traefik() {
    let gateway = gateway();
    let proxy = servers::traefik(&block(&gateway, "Traefik", "yaml"));
    let asked = Asked { proxy: &proxy, name: "traefik" };
    let ours = asked.check();
    asked.check_signing_off(&ours);
}

#[test]
fn envoy() {
    let gateway = gateway();
    let conf = block(&gateway, "Envoy", "yaml").replace("port_value: 80 ", "port_value: {port} ");
    let conf = conf.replace("address: 0.0.0.0", "address: 127.0.0.1");
    let proxy = servers::envoy(&conf);
    let asked = Asked { proxy: &proxy, name: "envoy" };
    let ours = asked.check();
    asked.check_signing_off(&ours);
}
