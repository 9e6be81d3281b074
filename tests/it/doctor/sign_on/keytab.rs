//! Faults of the keytab and its keys.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::doctor::{Fault, OTHERWISE, Site, cause, says};
use crate::gateway::Setup;
use crate::lab::{realm, temp_dir};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "K1",
        what: "The keytab is older than the account's password",
        site: || {
            let service = realm().add_service("doctor-k1");
            realm().rotate_key(&service);
            serving(&service.host, service.keytab)
        },
        check: says(
            &["{realm} makes tickets for HTTP/{host} with kvno 4", "the keytab has kvno 3"],
            &["export the keytab again"],
        ),
        log: says(&["kvno 4", "has kvno 3"], &["export it again"]),
        probe: cause(&["key_version"]),
        page: says(&["not in the gateway's keytab"], &["exported again"]),
        ..OTHERWISE
    },
    Fault {
        id: "K2",
        what: "The service's name is on two accounts",
        site: || {
            let service = realm().add_service("doctor-k2");
            realm().add_user("doctor-k2-too");
            realm().duplicate_spn(&service, "doctor-k2-too");
            serving(&service.host, service.keytab).ticket(None)
        },
        check: says(
            &["knows no service HTTP/{host}", "on no account, or on two"],
            &["`setspn -Q HTTP/{host}` shows", "setspn -D HTTP/{host}"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K3",
        what: "The keytab was exported for another account, whose key has the same version",
        site: || {
            let service = realm().add_service("doctor-k3a");
            let other = realm().add_service("doctor-k3b");
            let keys = std::fs::read(&other.keytab).unwrap();
            let keys = renamed(&keys, b"doctor-k3b", b"doctor-k3a");
            let site = serving(&service.host, "{dir}/web.keytab".into());
            site.write("web.keytab", keys);
            site
        },
        check: says(
            &["key of HTTP/{host} (kvno 3", "exported for another account"],
            &["export it again, for the account that `setspn -Q HTTP/{host}` shows"],
        ),
        page: cause(&["exported for an account other than"]),
        log: says(&["kvno 3", "exported for another account"], &["`setspn -Q HTTP/{host}`"]),
        ..OTHERWISE
    },
    Fault {
        id: "K4",
        what: "The keytab has only RC4 keys, but the domain makes tickets with AES",
        site: || {
            let service = realm().add_service("doctor-k4");
            let site = serving(&service.host, "{dir}/web.keytab".into());
            site.write("web.keytab", rc4_key(&service.host, 3));
            site
        },
        check: says(
            &["tickets for HTTP/{host} with aes256-cts-hmac-sha1-96", "only arcfour-hmac"],
            &["msDS-SupportedEncryptionTypes", "export the keytab again"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K5",
        what: "The service's name is on no account",
        site: || {
            let service = realm().add_service("doctor-k5");
            let name = format!("HTTP/{}", service.host);
            realm().samba_tool(&["spn", "delete", &name, "svc-doctor-k5"]);
            serving(&service.host, service.keytab).ticket(None)
        },
        check: says(
            &["{realm} knows no service HTTP/{host}"],
            &["setspn -S HTTP/{host}", "samba-tool spn add"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K6",
        what: "The site's name is on another account than the keytab's",
        site: || serving(&realm().host("other"), realm().web_keytab.clone()),
        check: says(
            &["issues tickets for HTTP/{host}", "the keytab has no key of its account"],
            &["export the keys of HTTP/{host} into the keytab"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K7",
        what: "The account that Doorward runs as may not read the keytab",
        site: || as_nobody(0o600),
        check: says(
            &["{dir}/web.keytab is not readable for nobody", "mode 0600"],
            &["chgrp nogroup {dir}/web.keytab", "chmod"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K8",
        what: "Everybody may read the keytab",
        site: || as_nobody(0o644),
        check: says(
            &["{dir}/web.keytab has mode 0644"],
            &["chgrp nogroup {dir}/web.keytab", "chmod"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K9",
        what: "The keytab is cut off",
        site: || {
            let site = serving(&realm().host("web"), "{dir}/web.keytab".into());
            let whole = std::fs::read(&realm().web_keytab).unwrap();
            site.write("web.keytab", &whole[..whole.len() - 7]);
            site
        },
        check: says(&["{dir}/web.keytab is cut off or damaged"], &["export the keytab again"]),
        ready: says(&["{dir}/web.keytab is cut off or damaged"], &["export it again"]),
        ..OTHERWISE
    },
    Fault {
        id: "K10",
        what: "The keytab does not exist",
        site: || serving(&realm().host("web"), "{dir}/none.keytab".into()),
        check: says(
            &["{dir}/none.keytab does not exist"],
            &["export a keytab for this service to it"],
        ),
        page: cause(&["cannot read its keytab"]),
        log: says(&["{dir}/none.keytab does not exist"], &["export a keytab for this service"]),
        ready: says(&["{dir}/none.keytab does not exist"], &["export a keytab for this service"]),
        ..OTHERWISE
    },
    Fault {
        id: "K11",
        what: "krb5.conf of the gateway's host forbids the keytab's encryption types",
        site: || {
            let conf = std::fs::read_to_string(&realm().krb5_config_two_realms).unwrap();
            let only_rc4 = "[libdefaults]\n permitted_enctypes = arcfour-hmac\n";
            let conf = conf.replacen("[libdefaults]\n", only_rc4, 1);
            serving(&realm().host("web"), realm().web_keytab.clone()).krb5_conf(&conf)
        },
        check: says(
            &["krb5.conf permits arcfour-hmac (permitted_enctypes)", "aes256-cts-hmac-sha1-96"],
            &["remove permitted_enctypes from krb5.conf"],
        ),
        log: says(
            &["krb5.conf permits", "permitted_enctypes"],
            &["Remove permitted_enctypes from"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "K12",
        what: "The keytab contains no key",
        site: || {
            let site = serving(&realm().host("web"), "{dir}/web.keytab".into());
            site.write("web.keytab", b"\x05\x02");
            site
        },
        check: says(&["{dir}/web.keytab contains no key"], &["export the keys of HTTP/"]),
        ..OTHERWISE
    },
    Fault {
        id: "K13",
        what: "The keytab has no key of the configured acceptor",
        site: || {
            let config = Setup::default().config(1).replace(
                "[sso.kerberos]\n",
                "[sso.kerberos]\nacceptor = \"HTTP/elsewhere.{dns}\"\n",
            );
            Site::of(&config)
        },
        check: says(
            &["no key of HTTP/elsewhere.{dns}, the configured acceptor"],
            &["set acceptor to one of", "HTTP/web.{dns}"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "M1",
        what: "One of two gateways with the same account has an old keytab",
        site: || {
            let service = realm().add_service("doctor-m1");
            realm().rotate_key(&service);
            serving(&service.host, service.keytab)
        },
        check: says(&["with kvno 4", "the keytab has kvno 3"], &["export the keytab again"]),
        ..OTHERWISE
    },
];

/// A site at this host, and a client that has signed on just now.
fn serving(host: &str, keytab: PathBuf) -> Site {
    let more = format!("[[site]]\nhost = \"{host}\"\nupstream = \"http://127.0.0.1:1\"\n");
    let setup = Setup { keytab: Some(keytab), more, ..Setup::default() };
    let ticket = realm().fresh_ticket("alice", &[]).unwrap();
    Site::with(&setup).host(host).ticket(Some(ticket))
}

/// Doorward runs as nobody, and root's keytab has this mode.
fn as_nobody(mode: u32) -> Site {
    let setup = Setup { keytab: Some("{dir}/web.keytab".into()), ..Setup::default() };
    let site = Site::of(&format!("run_as_user = \"nobody\"\n{}", setup.config(1)));
    let keytab = site.write("web.keytab", std::fs::read(&realm().web_keytab).unwrap());
    std::fs::set_permissions(keytab, PermissionsExt::from_mode(mode)).unwrap();
    site
}

/// The same keys under another name of the same length.
fn renamed(keytab: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut renamed = keytab.to_vec();
    for at in 0..keytab.len() - from.len() {
        if keytab[at..].starts_with(from) {
            renamed[at..at + to.len()].copy_from_slice(to);
        }
    }
    renamed
}

/// A keytab (MIT's format 0x0502) with one RC4 key of HTTP/host.
fn rc4_key(host: &str, kvno: u32) -> Vec<u8> {
    let dir = temp_dir("ktutil-");
    let file = dir.path().join("rc4.keytab");
    let principal = format!("HTTP/{host}@{}", realm().name);
    let add = format!("addent -password -p {principal} -k {kvno} -e arcfour-hmac\nold\n");
    let script = format!("{add}wkt {}\n", file.display());
    let input = dir.path().join("script");
    std::fs::write(&input, script).unwrap();
    let done = Command::new("ktutil").stdin(std::fs::File::open(&input).unwrap()).output().unwrap();
    assert!(file.exists(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(file).unwrap()
}
