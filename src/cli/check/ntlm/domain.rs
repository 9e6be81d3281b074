//! Compares the domains whose users winbind verifies with those that may sign on here.

use std::path::Path;
use std::time::Duration;

use crate::advice::realm as advice;
use crate::cli::check::bounded::program::ask;
use crate::cli::check::report::Finding;
use crate::identity::Realm;

/// Nothing where winbind does not tell.
pub(super) async fn check(wbinfo: &Path, realms: &[Realm], is_asked_for: bool) -> Option<Finding> {
    let own = ask(wbinfo, ["--own-domain"], LIMIT);
    let known = ask(wbinfo, ["--all-domains"], LIMIT);
    let (own, known) = tokio::join!(own, known);
    let own = own.ok().filter(|said| said.succeeded)?.out;
    let known = known.ok().filter(|said| said.succeeded).map(|said| said.out).unwrap_or_default();
    let known: Vec<_> = known.lines().map(str::trim).collect();
    (!own.is_empty()).then(|| compare(own.trim(), &known, realms, is_asked_for))
}

/// `known`: the domains that winbind knows, its own and those it trusts. What nobody asked
/// for by name is no failure.
fn compare(own: &str, known: &[&str], realms: &[Realm], is_asked_for: bool) -> Finding {
    if realms.is_empty() {
        let found =
            format!("winbind's own domain is {own}; without [[core.realm]], its users may sign on");
        return Finding::ok(CHECK, found);
    }
    let listed: Vec<_> = realms
        .iter()
        .map(|realm| realm.domain.as_str())
        .filter(|domain| !domain.is_empty())
        .collect();
    let is_listed = |domain: &str| listed.iter().any(|listed| listed.eq_ignore_ascii_case(domain));
    let shown: Vec<_> = listed.iter().map(|domain| format!("domain = {domain:?}")).collect();
    let shown = shown.join(", ");
    if is_listed(own) {
        return Finding::ok(
            CHECK,
            format!("winbind's own domain is {own}, and [[core.realm]] has {shown}"),
        );
    }
    let found = if listed.is_empty() {
        format!("winbind's own domain is {own}, and no [[core.realm]] has a domain")
    } else {
        format!("winbind's own domain is {own}, and [[core.realm]] has {shown}")
    };
    let trusted: Vec<_> = known.iter().copied().filter(|domain| is_listed(domain)).collect();
    if trusted.is_empty() {
        let found = format!("{found}: nobody can sign on by NTLM");
        let finding = if is_asked_for { Finding::fail } else { Finding::warn };
        return finding(CHECK, found, advice::domain(own));
    }
    let found = format!("{found}: only users of {} can sign on by NTLM", trusted.join(", "));
    Finding::warn(CHECK, found, advice::domain(own))
}

const CHECK: &str = "domain";

const LIMIT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::config::{self, Surroundings};

    fn finding_with(lines: &str) -> (Status, String) {
        let settings = config::parse(lines, "test", &Surroundings::here()).unwrap().settings;
        let known = ["BUILTIN", "LAB", "PARTNER"];
        let finding = compare("LAB", &known, &settings.core.realms, true);
        (finding.status(), finding.to_string())
    }

    #[test]
    fn winbind_s_own_domain_has_to_be_listed() {
        let listing =
            |domain: &str| format!("[[core.realm]]\nrealm = \"LAB.TEST\"\ndomain = \"{domain}\"\n");
        assert_eq!(finding_with("").0, Status::Ok);
        assert_eq!(finding_with(&listing("lab")).0, Status::Ok);
        let (status, said) = finding_with(&listing("LAB.TEST"));
        assert_eq!(status, Status::Fail);
        let words = "own domain is LAB, and [[core.realm]] has domain = \"LAB.TEST\": nobody";
        assert!(said.contains(words), "{said}");
        assert_eq!(finding_with("[[core.realm]]\nrealm = \"LAB.TEST\"\n").0, Status::Fail);
        let (status, said) = finding_with(&listing("PARTNER"));
        assert_eq!(status, Status::Warn);
        assert!(said.contains("only users of PARTNER"), "{said}");
    }
}
