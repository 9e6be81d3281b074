//! A path that programs read differently is refused where it matters.

use crate::gateway::{Setup, web};

#[test]
fn no_reading_of_a_path_leads_around_a_site() {
    let more = "[[site]]\nhost = \"*\"\npath = \"/admin\"\nupstream = \"http://127.0.0.1:1\"\n\
                require = [\"user:bob\"]\n"
        .to_owned();
    let front = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Setup { more, front, ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let status = |path: &str| {
        let sent = [("Cookie", cookie.as_str())];
        gateway.connect().get(&web(), path, &sent).status
    };
    for path in [
        "/admin%00",
        "/admin.",
        "/admin%20",
        "/admin%2e%20.",
        "/admin./x",
        "/%u0061dmin",
        "/%252561dmin",
        "/%25252561dmin",
        "/%ef%bd%81dmin",
        "/x/..%ef%bc%8fadmin",
        "/ADM%c4%b0N%0a",
        "/%41DMIN",
        "/admin%2f..",
        "/x/..%e0%80%afadmin",
        "/x/..%c0%2fadmin",
        "/%f0%80%81%a1dmin",
        "//any.example/admin",
        "/(S(x))/admin",
        "/admin::$DATA",
        "/admin%23x",
        "/adm%e2%80%8bin",
        "/ad%min",
    ] {
        assert_eq!(status(path), 400, "{path}");
        let asked = [("Cookie", cookie.as_str()), ("X-Original-URI", path)];
        let asked = gateway.connect().get(&web(), "/.doorward/auth", &asked);
        assert_eq!(asked.status, 400, "forward-auth {path}");
    }
    assert_eq!(status("/admin/x"), 403);
    for path in ["/caf%C3%A9", "/100%25", "/a.b.", "/a%20b", "/user%2Fx", "/%E9"] {
        assert_eq!(status(path), 200, "{path}");
    }
}
