//! From the KDC's answer about a service to a line of the report.

use std::collections::BTreeSet;

use super::services::{Heard, Service, Use};
use crate::advice::kerberos as advice;
use crate::cli::check::report::Finding;
use crate::krb5::kdc::ask::{Known, Seen, Withheld};
use crate::krb5::keytab::{Entry, Keytab};
use crate::wire::Denied;

/// What is to be said of one service.
pub(super) fn finding_on(service: &Service, heard: &Heard, keytab: &Keytab) -> Finding {
    let Service { name, realm, is_held, use_ } = service;
    match heard {
        Heard::Ticket(seen) if seen.opens => opens(service, seen),
        Heard::Ticket(seen) => stays_closed(service, seen, keytab),
        Heard::Told(Known::No) | Heard::Withheld(Withheld::Unknown) => unknown(service, keytab),
        Heard::Told(Known::Twice) | Heard::Withheld(Withheld::Twice) => Finding::fail(
            "service",
            format!("{name} is on two accounts of {realm}, so the KDC issues no ticket for it"),
            advice::one_account(name),
        ),
        Heard::Withheld(Withheld::Encryption) => Finding::fail(
            "encryption",
            format!(
                "the account of {name} has no key of a type that krb5.conf of this host permits, so {realm} issues no ticket for it"
            ),
            advice::ADD_AES,
        ),
        Heard::Withheld(Withheld::Clock) => Finding::fail(
            "clock",
            format!(
                "the KDC of {realm} issues no ticket, because it finds this host's clock wrong"
            ),
            crate::advice::kdc::CLOCK,
        ),
        Heard::Withheld(Withheld::Other(why)) => Finding::warn(
            "service",
            format!("{realm} gives the user who runs this check no ticket for {name}: {why}"),
            advice::by_hand(name, realm),
        ),
        Heard::Told(Known::Yes) if *is_held => {
            Finding::ok("service", format!("{realm} knows {name}, and the keytab has its keys"))
        }
        Heard::Told(_) if *is_held => {
            Finding::ok("service", format!("the keytab has keys of {name}"))
        }
        Heard::Nothing if *is_held => Finding::ok(
            "service",
            format!("the keytab has keys of {name} (no KDC has said whether {realm} knows it)"),
        ),
        _ if by_host_key(keytab) => Finding::ok(
            "service",
            format!(
                "the keytab has keys of this host's account, which Active Directory also uses for tickets for {name}"
            ),
        ),
        _ if has_web_key(keytab) => Finding::warn(
            "service",
            format!(
                "the keytab has no key of {name}: browsers can sign on only if the name is on an account whose key is in the keytab"
            ),
            advice::register(name),
        ),
        _ if *use_ == Use::Spare => Finding::ok("service", name.clone()),
        _ => Finding::fail(
            "service",
            "the keytab has no key of an HTTP/ service: browsers get no ticket for this gateway",
            advice::register(name),
        ),
    }
}

/// A key of our own keytab that the KDC does not take.
pub(super) fn own_key_refused((principal, refused): &(String, Denied), keytab: &Keytab) -> Finding {
    let versions = versions(&keytab.keys_for(principal));
    Finding::fail(
        "key version",
        format!(
            "the KDC does not accept the keytab's key of {principal} ({versions}): the account's password was set after the export ({})",
            refused.detail
        ),
        advice::EXPORT_AGAIN,
    )
}

/// What only a ticket would have shown.
pub(super) fn not_compared() -> Finding {
    Finding::ok("ticket", advice::COMPARE)
}

fn opens(service: &Service, seen: &Seen) -> Finding {
    let Service { name, realm, is_held, .. } = service;
    let Seen { kvno, enctype, .. } = seen;
    let by = if *is_held { "" } else { ", with the key of another name of its account" };
    Finding::ok(
        "service",
        format!(
            "a ticket of {realm} for {name} (kvno {kvno}, {enctype}) opens with the keytab{by}"
        ),
    )
}

/// The ticket is real, and no key opens it.
fn stays_closed(service: &Service, seen: &Seen, keytab: &Keytab) -> Finding {
    let Service { name, realm, is_held, .. } = service;
    let Seen { kvno, enctype, .. } = seen;
    let keys = keytab.keys_for(&format!("{name}@{realm}"));
    if !is_held {
        return foreign(service, seen, keytab);
    }
    if keys.iter().all(|key| key.kvno != *kvno) {
        return version(name, realm, *kvno, &keys);
    }
    if keys.iter().all(|key| key.enctype != *enctype) {
        let types: BTreeSet<_> = keys.iter().map(|key| key.enctype.to_string()).collect();
        let types = types.into_iter().collect::<Vec<_>>().join(", ");
        return Finding::fail(
            "encryption",
            format!(
                "{realm} makes tickets for {name} with {enctype}, but the keytab has only {types}: nobody can sign on"
            ),
            advice::ADD_AES,
        );
    }
    Finding::fail(
        "key",
        format!(
            "{realm} made the ticket with a key other than the keytab's key of {name} (kvno {kvno}, {enctype}), though the version is the same: the keytab was exported for another account"
        ),
        advice::other_account(name),
    )
}

/// The keytab does not name the service, and opens none of its tickets.
fn foreign(service: &Service, seen: &Seen, keytab: &Keytab) -> Finding {
    let Service { name, realm, use_, .. } = service;
    // A host's account answers for all names of the host.
    let own: Vec<_> = keytab.entries.iter().filter(|key| is_host_key(key)).collect();
    let own: Vec<_> = own.into_iter().filter(|key| key.realm == *realm).collect();
    if !own.is_empty() && own.iter().all(|key| key.kvno != seen.kvno) {
        return version(name, realm, seen.kvno, &own);
    }
    let found = format!(
        "{realm} issues tickets for {name}, but the keytab has no key of its account: people who use that name cannot sign on"
    );
    let mend = advice::export_name(name);
    if *use_ == Use::Own && has_web_key(keytab) {
        // Active Directory gives such tickets for every member of the domain.
        return Finding::warn("service", found, mend);
    }
    Finding::fail("service", found, mend)
}

fn version(name: &str, realm: &str, kvno: u32, keys: &[&Entry]) -> Finding {
    let held = versions(keys);
    let newest = keys.iter().map(|key| key.kvno).max().unwrap_or_default();
    let (why, mend) = if newest < kvno {
        ("the password was set after the export", advice::EXPORT_AGAIN)
    } else {
        ("the keytab is newer", advice::OLDER_KEY)
    };
    Finding::fail(
        "key version",
        format!(
            "{realm} makes tickets for {name} with kvno {kvno}, but the keytab has {held}: {why}, and nobody can sign on"
        ),
        mend,
    )
}

/// The realm gives no ticket for it.
fn unknown(service: &Service, keytab: &Keytab) -> Finding {
    let Service { name, realm, use_, is_held } = service;
    let found = format!("{realm} knows no service {name}: the name is on no account, or on two");
    let mend = advice::find_account(name);
    match use_ {
        // Some other name of the keytab may be the one that people use.
        Use::Own if !is_held && has_web_key(keytab) => Finding::ok(
            "service",
            format!(
                "{name}, this host's own name, is not a service of {realm}: people use another name"
            ),
        ),
        Use::Named if !is_held && has_web_key(keytab) => Finding::warn(
            "service",
            format!(
                "{found}; people who use it can sign on only if it is an alias (CNAME) of a name in the keytab, and the browser follows the alias"
            ),
            mend,
        ),
        Use::Named => Finding::fail("service", found, mend),
        Use::Own | Use::Spare => Finding::warn("service", found, mend),
    }
}

fn has_web_key(keytab: &Keytab) -> bool {
    keytab.entries.iter().any(|key| key.principal.starts_with("HTTP/"))
}

/// `kvno 3` or `kvno 3, 4`
fn versions(keys: &[&Entry]) -> String {
    let versions: BTreeSet<_> = keys.iter().map(|key| key.kvno).collect();
    let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
    format!("kvno {}", versions.join(", "))
}

/// Joining a domain makes such keys.
fn by_host_key(keytab: &Keytab) -> bool {
    keytab.entries.iter().any(is_host_key)
}

fn is_host_key(key: &Entry) -> bool {
    let name = key.principal.rsplit_once('@').map_or("", |(name, _)| name);
    name.ends_with('$') || name.starts_with("host/") || name.starts_with("HOST/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::krb5::keytab::Enctype;
    use crate::krb5::keytab::tests::held;

    const AES: Enctype = Enctype(18);
    const RC4: Enctype = Enctype(23);

    fn service(is_held: bool, use_: Use) -> Service {
        Service { name: "HTTP/web".to_owned(), realm: "A".to_owned(), is_held, use_ }
    }

    /// What is said where the keytab has `HTTP/web@A` by kvno 2 with AES.
    #[track_caller]
    fn said(heard: &Heard) -> (Status, String) {
        let finding = finding_on(&service(true, Use::Named), heard, &held(&["HTTP/web"], "A"));
        (finding.status(), finding.to_string())
    }

    fn ticket(kvno: u32, enctype: Enctype, opens: bool) -> Heard {
        Heard::Ticket(Seen { kvno, enctype, opens })
    }

    #[test]
    fn a_ticket_that_stays_closed_tells_which_key_is_wrong() {
        for (kvno, enctype, words) in [
            (
                3,
                AES,
                "with kvno 3, but the keytab has kvno 2: the password was set after the export",
            ),
            (1, AES, "with kvno 1, but the keytab has kvno 2: the keytab is newer"),
            (2, RC4, "with arcfour-hmac, but the keytab has only aes256-cts-hmac-sha1-96"),
            (2, AES, "exported for another account"),
        ] {
            let (status, line) = said(&ticket(kvno, enctype, false));
            assert_eq!(status, Status::Fail);
            assert!(line.contains(words), "{line}");
        }
        assert_eq!(said(&ticket(2, AES, true)).0, Status::Ok);
    }

    #[test]
    fn a_name_that_the_realm_does_not_know_fails_where_people_come_by_it() {
        let keytab = held(&["HTTP/web"], "A");
        for (is_held, used, status) in [
            (true, Use::Named, Status::Fail),
            (false, Use::Named, Status::Warn),
            (true, Use::Spare, Status::Warn),
            (true, Use::Own, Status::Warn),
            (false, Use::Own, Status::Ok),
        ] {
            let heard = Heard::Told(Known::No);
            let finding = finding_on(&service(is_held, used), &heard, &keytab);
            assert_eq!(finding.status(), status, "{finding}");
        }
        assert_eq!(said(&Heard::Told(Known::Twice)).0, Status::Fail);
    }

    #[test]
    fn a_ticket_that_is_withheld_says_why() {
        for (withheld, status, words) in [
            (Withheld::Unknown, Status::Fail, "knows no service HTTP/web"),
            (Withheld::Twice, Status::Fail, "on two accounts"),
            (Withheld::Encryption, Status::Fail, "permits"),
            (Withheld::Clock, Status::Fail, "finds this host's clock wrong"),
            (Withheld::Other("KDC policy".to_owned()), Status::Warn, "no ticket for HTTP/web: KDC"),
        ] {
            let (found, line) = said(&Heard::Withheld(withheld));
            assert_eq!(found, status, "{line}");
            assert!(line.contains(words), "{line}");
        }
    }

    #[test]
    fn without_any_word_of_the_realm_the_keytab_has_to_do() {
        for heard in [Heard::Nothing, Heard::Told(Known::Untold), Heard::Told(Known::Yes)] {
            assert_eq!(said(&heard).0, Status::Ok);
            let absent =
                |held: &Keytab| finding_on(&service(false, Use::Named), &heard, held).status();
            assert_eq!(absent(&held(&["HTTP/other"], "A")), Status::Warn);
            assert_eq!(absent(&held(&["WEB$", "host/web"], "A")), Status::Ok);
            assert_eq!(absent(&held(&["svc"], "A")), Status::Fail);
        }
    }

    #[test]
    fn a_name_of_another_account_fails_where_people_surely_come_by_it() {
        let keytab = held(&["HTTP/other"], "A");
        for (used, status) in [(Use::Named, Status::Fail), (Use::Own, Status::Warn)] {
            let finding = finding_on(&service(false, used), &ticket(2, AES, false), &keytab);
            assert_eq!(finding.status(), status);
            assert!(finding.to_string().contains("the keytab has no key of its account"));
        }
    }

    #[test]
    fn a_host_s_own_key_that_is_outdated_is_told_by_its_version() {
        let heard = ticket(3, AES, false);
        let finding = finding_on(&service(false, Use::Named), &heard, &held(&["WEB$"], "A"));
        assert!(
            finding.to_string().contains("with kvno 3, but the keytab has kvno 2"),
            "{finding}"
        );
    }
}
