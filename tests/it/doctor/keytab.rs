//! Faults of the keytab and its keys.

use super::{APART, Fault, OTHERWISE, Site, cause, says};
use crate::gateway::Setup;
use crate::lab::realm;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "K1",
        what: "The keytab is older than the account's password",
        site: || {
            let service = realm().add_service("doctor-k1");
            realm().rotate_key(&service);
            let setup = Setup { keytab: Some(service.keytab), ..Setup::default() };
            let ticket = realm().fresh_ticket("alice", &[]).unwrap();
            Site::with(&setup).host(&service.host).ticket(Some(ticket))
        },
        check: APART,
        log: says(&["kvno 4", "holds for it kvno 3"], &["export it again"]),
        probe: cause(&["key_version"]),
        page: says(&["another key of this service"], &["exported again"]),
        ..OTHERWISE
    },
    Fault {
        id: "K10",
        what: "The keytab is not there",
        site: || {
            let keytab = Some("{dir}/none.keytab".into());
            Site::with(&Setup { keytab, ..Setup::default() })
        },
        check: says(
            &["{dir}/none.keytab does not exist"],
            &["export a keytab for this service to it"],
        ),
        page: cause(&["cannot read its keytab"]),
        log: says(&["{dir}/none.keytab does not exist"], &["export a keytab for this service"]),
        ready: says(&["{dir}/none.keytab does not exist"], &["export a keytab for this service"]),
        ..OTHERWISE
    },
];
