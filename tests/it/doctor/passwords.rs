//! Faults of krb5.conf, and of the KDC that judges passwords.

use std::os::unix::fs::PermissionsExt;

use super::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;
use crate::lab::realm;

pub(super) const FAULTS: &[Fault] = &[
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
            &["let krb5.conf ([realms] kdc) or DNS name a domain controller", "port 88"],
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
            &["{dir}/krb5.conf is not readable for nobody", "goes on without its settings"],
            &["chgrp nogroup {dir}/krb5.conf && chmod g+r {dir}/krb5.conf"],
        ),
        ..OTHERWISE
    },
];
