//! Faults of certificates and keys.

use std::os::unix::fs::PermissionsExt;

use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::gateway::{Setup, web};
use crate::lab::Pki;
use crate::lab::pki::CLIENT;

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "C1",
        what: "The site's certificate has expired",
        site: || with_certificate(|pki| issue(pki, "-60 days", "ca", &for_site())),
        check: says(&["certificate: CN=web expired"], &["issued again", "reload the gateway"]),
        log: says(&["CN=web", "expired on"], &["issued again", "reload the gateway"]),
        ready: says(&["CN=web", "expired on"], &["issued again", "reload the gateway"]),
        ..OTHERWISE
    },
    Fault {
        id: "C2",
        what: "The site's certificate is not valid yet",
        site: || with_certificate(|pki| issue(pki, "+20 days", "ca", &for_site())),
        check: says(
            &[
                "CN=web is not valid before",
                "the KDC's clock agrees, so the certificate is for a later time",
            ],
            &["install it then"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C3",
        what: "The site's certificate is for another host",
        site: || {
            with_certificate(|pki| {
                issue(pki, "-1 hour", "ca", "subjectAltName=DNS:other.example\n");
            })
        },
        check: says(
            &["it is for other.example, and not for "],
            &["issued for all names of the sites"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C4",
        what: "The private key does not belong to the certificate",
        site: || {
            let pki = Pki::new();
            issue(&pki, "-1 hour", "ca", &for_site());
            let site = site("server_ssl_cert_file = \"{dir}/tls/cert.pem\"\n");
            site.write("tls/web.pem", std::fs::read(pki.path("ca.key")).unwrap());
            site.write("tls/cert.pem", std::fs::read(pki.path("web.crt")).unwrap());
            site
        },
        check: says(
            &["{dir}/tls/web.pem does not belong to the first certificate in {dir}/tls/cert.pem"],
            &["put the certificate of the key first"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C5",
        what: "The intermediate certificate is missing from the chain",
        site: || with_certificate(by_intermediate),
        check: says(
            &["CN=mid, which issued CN=web, is not in {dir}/tls/web.pem"],
            &["append its certificate to {dir}/tls/web.pem"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C6",
        what: "The site's key is RSA of 1024 bits",
        site: || {
            with_certificate(|pki| {
                pki.key("web", "1024");
                pki.issue("web", "ca", &for_site());
            })
        },
        check: says(&["RSA of 1024 bits", "2048"], &["make a new key and certificate"]),
        ..OTHERWISE
    },
    Fault {
        id: "C7",
        what: "The site's certificate is signed by itself",
        site: || {
            with_certificate(|pki| {
                pki.key("web", "P-256");
                pki.self_signed("web");
            })
        },
        check: says(
            &["CN=web is signed by itself: no browser trusts it"],
            &["doorward cert ca", "doorward cert server"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C8",
        what: "The site's certificate is a client certificate",
        site: || {
            with_certificate(|pki| {
                issue(pki, "-1 hour", "ca", &format!("{CLIENT}{}", for_site()));
            })
        },
        check: says(
            &["CN=web is not for servers (extended key usage lacks serverAuth)"],
            &["issued again as a server's"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C9",
        what: "The site's certificate expires within days",
        site: || with_certificate(|pki| issue(pki, "-25 days", "ca", &for_site())),
        check: says(&["CN=web expires", "within 7 days"], &["issued again", "reload the gateway"]),
        log: says(&["CN=web", "expires in"], &["issued again", "reload the gateway"]),
        ready: says(&["CN=web", "expires in"], &["issued again", "reload the gateway"]),
        ..OTHERWISE
    },
    Fault {
        id: "C10",
        what: "The issuer's certificate in the chain has the right name, but another key",
        site: || {
            let pki = Pki::new();
            issue(&pki, "-1 hour", "ca", &for_site());
            let other = Pki::new();
            let site = site("");
            let pair = std::fs::read(pki.path("web.pem")).unwrap();
            let stranger = std::fs::read(other.path("ca.crt")).unwrap();
            site.write("tls/web.pem", [pair, stranger].concat());
            site
        },
        check: says(
            &["the signature between CN=web and CN=ca is not by the key in the file"],
            &["replace the issuer's certificate"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C11",
        what: "Everybody on the host can read the private key",
        site: || {
            let site = with_certificate(|pki| issue(pki, "-1 hour", "ca", &for_site()));
            let open = PermissionsExt::from_mode(0o644);
            std::fs::set_permissions(site.dir().join("tls/web.pem"), open).unwrap();
            site
        },
        check: says(
            &["the private key in {dir}/tls/web.pem has mode 0644"],
            &["chmod 0600 {dir}/tls/web.pem"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C12",
        what: "The site's key is of a kind that browsers refuse",
        site: || {
            with_certificate(|pki| {
                pki.key("web", "ED25519");
                pki.issue("web", "ca", &for_site());
            })
        },
        check: says(
            &["the key of CN=web is Ed25519: most browsers refuse it"],
            &["ECDSA on P-256"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "C13",
        what: "The intermediate certificate may not sign certificates",
        site: || {
            let pki = Pki::new();
            pki.key("mid", "P-256");
            pki.issue("mid", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign\n");
            issue(&pki, "-1 hour", "mid", &for_site());
            let site = site("");
            let both = ["web.pem", "mid.crt"].map(|file| std::fs::read(pki.path(file)).unwrap());
            let path = site.write("tls/web.pem", both.concat());
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
            site
        },
        check: says(
            &["the certificate of CN=mid may not sign certificates", "keyCertSign"],
            &["have the authority's certificate issued again"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "S1",
        what: "The account that Doorward runs as may not list sslkeys_path",
        site: || {
            let pki = Pki::new();
            let folder = pki.path("sslkeys");
            std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).unwrap();
            signing_on_by_key(pki, "").prepend("run_as_user = \"nobody\"\n")
        },
        check: says(&["sslkeys_path", "/sslkeys", "nobody"], &["chmod g+rx"]),
        ..OTHERWISE
    },
    Fault {
        id: "S2",
        what: "A file in sslkeys_path contains a private key, or no key",
        site: || {
            let pki = Pki::new();
            pki.client("app");
            std::fs::copy(pki.path("app.key"), pki.path("sslkeys/app.key")).unwrap();
            signing_on_by_key(pki, "")
        },
        check: says(
            &["app.key is skipped: it contains a private key"],
            &["move it elsewhere at once", "openssl pkey -pubout"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "S3",
        what: "A listed certificate is from an authority that is not accepted",
        site: || {
            let pki = Pki::new();
            pki.authority("other");
            pki.key("app", "P-256");
            pki.issue("app", "other", CLIENT);
            std::fs::copy(pki.path("app.crt"), pki.path("sslkeys/app-public.pem")).unwrap();
            signing_on_by_key(pki, "")
        },
        check: says(
            &["app-public.pem was issued by CN=other, but only certificates of CN=ca are accepted"],
            &["[core] server_ssl_ca_file", "[front] client_ssl_ca_file"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "S4",
        what: "The authority's certificate may not sign certificates",
        site: || {
            let pki = Pki::new();
            let weak = ["-addext", "keyUsage=critical,digitalSignature"];
            let made = ["req", "-x509", "-key", "ca.key", "-subj", "/CN=ca", "-out", "ca.crt"];
            pki.openssl(&[&made[..], &weak].concat());
            signing_on_by_key(pki, "")
        },
        check: says(&["CN=ca", "keyCertSign"], &["have the authority's certificate issued again"]),
        ..OTHERWISE
    },
    Fault {
        id: "S5",
        what: "The list of revoked certificates has expired",
        site: || {
            let pki = Pki::new();
            pki.revoke(&[], "-30 days");
            signing_on_by_key(pki, "crl.pem")
        },
        check: says(
            &["the list of CN=ca expired", "none of its certificates is accepted"],
            &["fetch a new list"],
        ),
        log: says(&["list of revoked certificates of", "expired on"], &["fetch a new list"]),
        ready: says(&["list of revoked certificates of", "expired on"], &["fetch a new list"]),
        ..OTHERWISE
    },
    Fault {
        id: "S6",
        what: "An authority has no list of revoked certificates",
        site: || {
            let pki = Pki::new();
            pki.revoke(&[], "-1 hour");
            pki.authority("other");
            let both = ["ca.crt", "other.crt"].map(|file| std::fs::read(pki.path(file)).unwrap());
            std::fs::write(pki.path("ca.crt"), both.concat()).unwrap();
            signing_on_by_key(pki, "crl.pem")
        },
        check: says(&["has no list of CN=other"], &["append the list of this authority"]),
        ..OTHERWISE
    },
];

/// A site whose certificate and key `CN=web` are made so.
fn with_certificate(make: impl FnOnce(&Pki)) -> Site {
    let pki = Pki::new();
    make(&pki);
    let site = site("");
    // In the folder of the authority its certificate would be found.
    let path = site.write("tls/web.pem", std::fs::read(pki.path("web.pem")).unwrap());
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    site
}

/// A site on TLS with more lines of `[front]`.
fn site(lines: &'static str) -> Site {
    const KEY: &str = "server_ssl_key_file = \"{dir}/tls/web.pem\"\n";
    let setup = Setup::default();
    Site::of(&setup.config(1).replace("[sso]", &format!("{KEY}{lines}[sso]")))
}

fn issue(pki: &Pki, when: &str, authority: &str, extensions: &str) {
    pki.key("web", "P-256");
    pki.issue_at(when, "web", authority, extensions);
}

fn by_intermediate(pki: &Pki) {
    pki.key("mid", "P-256");
    pki.issue("mid", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n");
    issue(pki, "-1 hour", "mid", &for_site());
}

fn for_site() -> String {
    format!("subjectAltName=DNS:{}\n", web())
}

/// A core that takes keys, with a list of revoked certificates where one is named.
fn signing_on_by_key(pki: Pki, crl: &str) -> Site {
    let crl = match crl {
        "" => String::new(),
        crl => format!("crl_file = \"{}\"\n", pki.text(crl)),
    };
    let setup = Setup { more: pki.core(&crl), ..Setup::default() };
    let config = setup.config(1);
    // The setup's own [core] is the shorter one.
    let config = config.rsplit_once("[core]").unwrap().0;
    Site::of(config).keep(pki)
}
