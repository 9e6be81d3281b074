//! Faults of krb5.conf, and of the KDC that judges passwords.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::doctor::{Fault, OTHERWISE, Site, cause, says};
use crate::gateway::{Setup, web};
use crate::lab::realm;

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "P4",
        what: "No KDC answers",
        site: || {
            let conf = format!(
                "[libdefaults]\ndns_lookup_kdc = false\n[realms]\n{} = {{\nkdc = 127.0.0.1:1\n}}\n",
                realm().name
            );
            Site::with(&Setup::default()).krb5_conf(&conf)
        },
        check: says(
            &["passwords of {realm} cannot be checked", "no KDC of {realm} answers"],
            &["name a domain controller in krb5.conf ([realms] kdc) or in DNS", "port 88"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "P5",
        what: "The krb5.conf that `KRB5_CONFIG` names does not exist",
        site: || Site::with(&Setup::default()).env("KRB5_CONFIG", "/nonexistent/krb5.conf"),
        check: says(
            &["/nonexistent/krb5.conf, which KRB5_CONFIG names, does not exist"],
            &["create it, or correct KRB5_CONFIG"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "P6",
        what: "A line of krb5.conf is wrong",
        site: || {
            let conf = "[libdefaults]\n default_realm = A\n[realms]\n A = {\n  kdc 127.0.0.1\n }\n";
            Site::with(&Setup::default()).krb5_conf(conf)
        },
        check: says(&["{dir}/krb5.conf:5: a line without ="], &["correct that line"]),
        log: says(&["{dir}/krb5.conf:5: a line without ="], &["correct that line"]),
        ready: says(&["{dir}/krb5.conf:5: a line without ="], &["correct that line"]),
        ..OTHERWISE
    },
    Fault {
        id: "P7",
        what: "The account that Doorward runs as may not read krb5.conf",
        site: || {
            let config = Setup::default().config(1);
            let site = Site::of(&format!("run_as_user = \"nobody\"\n{config}"));
            let conf = std::fs::read(&realm().krb5_config_two_realms).unwrap();
            let path = site.write("krb5.conf", conf);
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            site.env("KRB5_CONFIG", path.to_str().unwrap())
        },
        check: says(
            &["{dir}/krb5.conf is not readable for nobody", "continues without its settings"],
            &["chgrp nogroup {dir}/krb5.conf && chmod g+r {dir}/krb5.conf"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "P1",
        what: "The password is right, but the account is disabled",
        site: || {
            let password = realm().add_user("doctor-p1");
            realm().disable("doctor-p1");
            by_password("doctor-p1", &password)
        },
        log: cause(&["account_disabled", "doctor-p1"]),
        ..OTHERWISE
    },
    Fault {
        id: "P2",
        what: "The password must be changed",
        site: || {
            let password = realm().add_user("doctor-p2");
            realm().set_attribute("doctor-p2", "pwdLastSet", "0");
            by_password("doctor-p2", &password)
        },
        log: cause(&["password_expired", "doctor-p2"]),
        ..OTHERWISE
    },
];

/// A site that somebody comes to with a password. The audit log is in the log.
fn by_password(user: &str, password: &str) -> Site {
    let setup = Setup { sso: "mechanisms = [\"basic\"]", ..Setup::default() };
    let config = setup.config(Site::app_port());
    let site = Site::of(&format!("{config}\n[log]\nformat = \"json\"\n")).ticket(None);
    let pair = STANDARD.encode(format!("{user}:{password}"));
    let url = format!("https://{}:{{https}}/", web());
    site.url(&url).header(&format!("Authorization: Basic {pair}"))
}
