//! Faults of clocks.

use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "T3",
        what: "The gateway's clock is ten minutes ahead",
        site: || Site::with(&Setup::default()).clock("+630s"),
        check: says(
            &["this host is 10 min", "ahead of the KDC of {realm}: here it is 20", "there 20"],
            &["set both from the same time servers"],
        ),
        probe: says(
            &["clock of this gateway is wrong", "10 min", "ahead of the domain's"],
            &["must set it"],
        ),
        page: says(
            &["clock of this gateway is wrong", "10 min", "ahead of the domain's"],
            &["must set it"],
        ),
        log: says(
            &["the clock of this host is 10 min", "ahead of the domain controller's"],
            &["set both from the same time servers"],
        ),
        ready: says(
            &["the clock of this host is 10 min", "ahead of the domain controller's"],
            &["set both from the same time servers"],
        ),
    },
    Fault {
        id: "T4",
        what: "The gateway's clock is ten minutes behind",
        site: || Site::with(&Setup::default()).clock("-630s").ticket(None),
        check: says(
            &["this host is 10 min", "behind the KDC of {realm}: here it is 20"],
            &["set both from the same time servers"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "T5",
        what: "The gateway's clock is a day ahead",
        site: || Site::with(&Setup::default()).clock("+1d"),
        check: says(
            &["this host is 1 d 00 h 00 min ahead of the KDC of {realm}"],
            &["set both from the same time servers"],
        ),
        probe: says(
            &["clock of this gateway is wrong", "1 d 0 h", "ahead of the domain's"],
            &["must set it"],
        ),
        page: says(
            &["clock of this gateway is wrong", "1 d 0 h", "ahead of the domain's"],
            &["must set it"],
        ),
        log: says(
            &["the clock of this host is 1 d 0 h", "ahead of the domain controller's"],
            &["set both from the same time servers"],
        ),
        ready: says(
            &["the clock of this host is 1 d 0 h", "ahead of the domain controller's"],
            &["set both from the same time servers"],
        ),
    },
];
