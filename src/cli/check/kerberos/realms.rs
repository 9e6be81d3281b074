//! Realms: those of the keytab, of krb5.conf and of `[[core.realm]]`, side by side.

use std::collections::BTreeSet;

use super::kdc::Kdc;
use crate::advice::realm as advice;
use crate::cli::check::report::Finding;
use crate::config::Settings;
use crate::identity::Realm;
use crate::krb5::kdc::ask::default_realm;
use crate::krb5::keytab::Keytab;

/// The realms whose KDCs matter: those that may sign on, and those of the keytab. One that
/// is misspelt has no KDC, and a line of its own.
pub(super) fn concerned(settings: &Settings, keytab: Option<&Keytab>) -> Vec<String> {
    let held = keytab.map(Keytab::realms).unwrap_or_default();
    let is_misspelt = |realm: &&str| held.iter().any(|own| is_otherwise(own, realm));
    let configured = configured(&settings.core.realms).into_iter();
    let configured = configured.filter(|realm| !is_misspelt(realm));
    let all: BTreeSet<&str> = configured.chain(held.iter().copied()).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// Those of `[[core.realm]]` that are Kerberos realms.
fn configured(realms: &[Realm]) -> Vec<&str> {
    realms.iter().map(|realm| realm.realm.as_str()).filter(|realm| !realm.is_empty()).collect()
}

pub(super) fn check(settings: &Settings, keytab: Option<&Keytab>, kdcs: &[Kdc]) -> Vec<Finding> {
    let held = keytab.map(Keytab::realms).unwrap_or_default();
    let answering: Vec<_> = kdcs.iter().filter_map(Kdc::answering).collect();
    let configured = configured(&settings.core.realms);
    compare(&held, &configured, default_realm().as_deref(), &answering)
}

/// `answering`: realms of which a KDC answers.
fn compare(
    held: &[&str],
    configured: &[&str],
    default: Option<&str>,
    answering: &[&str],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for realm in configured {
        findings.extend(spelling(realm, held, answering));
    }
    let is_held = |realm: &&&str| held.iter().any(|own| own.eq_ignore_ascii_case(realm));
    let foreign =
        !held.is_empty() && !configured.is_empty() && !configured.iter().any(|r| is_held(&r));
    if foreign {
        findings.push(elsewhere(held, configured, answering));
    }
    if let Some(default) = default
        && let Some(own) =
            held.iter().find(|own| own.eq_ignore_ascii_case(default) && **own != default)
    {
        let found = format!("default_realm = {default} in krb5.conf: the realm is called {own}");
        findings.push(Finding::warn(CHECK, found, advice::default_realm(own)));
    }
    findings.extend(default.and_then(|default| unrelated(default, held, configured, answering)));
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, agreed(held, configured, default)));
    }
    findings
}

/// krb5.conf was made for other realms, as the one that Debian brings. Where DNS leads to the
/// KDCs nevertheless, it does no harm.
fn unrelated(
    default: &str,
    held: &[&str],
    configured: &[&str],
    answering: &[&str],
) -> Option<Finding> {
    let own = held.first()?;
    let mut known = held.iter().chain(configured);
    let is_found = held.iter().any(|realm| answering.contains(realm));
    if is_found || known.any(|realm| realm.eq_ignore_ascii_case(default)) {
        return None;
    }
    let found = format!(
        "krb5.conf has default_realm {default}, but the keytab is for {}: the file seems to be for another realm",
        held.join(", ")
    );
    Some(Finding::warn(CHECK, found, advice::file_for(own)))
}

/// The case of a realm counts wherever a KDC is asked.
fn spelling(realm: &str, held: &[&str], answering: &[&str]) -> Option<Finding> {
    if answering.contains(&realm) && !held.iter().any(|own| is_otherwise(own, realm)) {
        return None;
    }
    let upper = realm.to_uppercase();
    let right = held.iter().copied().find(|own| is_otherwise(own, realm));
    let right = right.or_else(|| (realm != upper).then_some(upper.as_str()))?;
    let found = format!(
        "[[core.realm]] has realm = \"{realm}\", but Kerberos knows {right}: case matters, so its KDC is not found and no password is accepted"
    );
    Some(Finding::fail(CHECK, found, advice::spelling(right)))
}

fn is_otherwise(own: &str, realm: &str) -> bool {
    own != realm && own.eq_ignore_ascii_case(realm)
}

/// None of the keytab's realms may sign on.
fn elsewhere(held: &[&str], configured: &[&str], answering: &[&str]) -> Finding {
    let (held_all, listed) = (held.join(", "), configured.join(", "));
    let found =
        format!("the keytab's realm {held_all} is in no [[core.realm]], which has {listed}");
    let mend = advice::list(held);
    if configured.iter().any(|realm| answering.contains(realm)) {
        let found =
            format!("{found}: only users of {listed} can sign on, if {held_all} trusts that realm");
        return Finding::warn(CHECK, found, mend);
    }
    Finding::fail(CHECK, format!("{found}: nobody can sign on with a ticket"), mend)
}

fn agreed(held: &[&str], configured: &[&str], default: Option<&str>) -> String {
    let held = if held.is_empty() { "no realm".to_owned() } else { held.join(", ") };
    let default = default
        .map_or("has no default_realm".to_owned(), |realm| format!("has default_realm {realm}"));
    let listed = if configured.is_empty() {
        "without [[core.realm]], users of the keytab's own realm may sign on".to_owned()
    } else {
        format!("[[core.realm]] has {}", configured.join(", "))
    };
    format!("the keytab is for {held}, krb5.conf {default}, {listed}")
}

const CHECK: &str = "realms";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

    fn only(held: &[&str], configured: &[&str], answering: &[&str]) -> Finding {
        let mut findings = compare(held, configured, None, answering);
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }

    #[test]
    fn realms_that_agree_are_shown() {
        assert_eq!(only(&["A"], &["A"], &["A"]).status(), Status::Ok);
        assert_eq!(only(&["A"], &[], &["A"]).status(), Status::Ok);
        assert_eq!(only(&["A", "B"], &["B"], &[]).status(), Status::Ok);
        assert_eq!(only(&[], &["B"], &[]).status(), Status::Ok);
    }

    #[test]
    fn a_keytab_of_no_realm_that_may_sign_on_fails_unless_there_is_such_a_realm() {
        let wrong = only(&["A"], &["OTHER"], &["A"]);
        assert_eq!(wrong.status(), Status::Fail);
        let words = "the keytab's realm A is in no [[core.realm]], which has OTHER";
        assert!(wrong.to_string().contains(words), "{wrong}");
        assert_eq!(only(&["A"], &["OTHER"], &["A", "OTHER"]).status(), Status::Warn);
    }

    #[test]
    fn a_krb5_conf_of_other_realms_is_told_where_no_kdc_is_found() {
        let told = compare(&["A"], &[], Some("ATHENA.MIT.EDU"), &[]);
        assert_eq!(told[0].status(), Status::Warn);
        let (said, mend) = (told[0].to_string(), "write default_realm = A");
        assert!(said.contains("default_realm ATHENA.MIT.EDU") && said.contains(mend), "{said}");
        for (configured, answering) in [(&[][..], &["A"][..]), (&["B"], &[])] {
            let fine = compare(&["A"], configured, Some("B"), answering);
            assert!(!fine.iter().any(|one| one.to_string().contains("seems")), "{fine:?}");
        }
    }

    #[test]
    fn the_case_of_a_realm_counts() {
        for (held, answering) in [(&["LAB.TEST"][..], &["LAB.TEST"][..]), (&[], &[])] {
            let finding = only(held, &["lab.test"], answering);
            assert_eq!(finding.status(), Status::Fail);
            assert!(finding.to_string().contains("Kerberos knows LAB.TEST"), "{finding}");
        }
        // A realm may be spelt so: then its KDC answers.
        assert_eq!(only(&["lab.test"], &["lab.test"], &["lab.test"]).status(), Status::Ok);
        let default = compare(&["LAB.TEST"], &[], Some("lab.test"), &["LAB.TEST"]);
        assert_eq!(default[0].status(), Status::Warn);
    }
}
