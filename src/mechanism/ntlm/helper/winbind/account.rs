//! Whose name was proven. Decisions on plain values.
//!
//! The name in a client's message is only a claim. winbind verified the password of an account,
//! and that account's name is used: a directory ignores upper and lower case. So winbind is asked
//! who it is, and what it cannot name is nobody.

use crate::mechanism::ntlm::helper::values::{Account, Domains};

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mechanism::ntlm::helper) enum Naming {
    /// It can only be this account.
    Is(Account),
    /// It is whom winbind names when asked for these: one account, whichever of
    /// them it knows.
    Lookup(Vec<String>),
    /// It could be anybody, for this reason.
    Unnamed(&'static str),
}

/// Names the account of a client's message whose response was right: winbind
/// verified `user` in `domain`, and did not say whom it found. `domains` are
/// those winbind knows; `None` where `ntlm_auth` verified without it.
pub(in crate::mechanism::ntlm::helper) fn of_message(
    user: &str,
    domain: &str,
    domains: Option<&Domains>,
) -> Naming {
    if has_odd_spaces(user) {
        return Naming::Unnamed("the name has spaces that a directory ignores");
    }
    let Some(domains) = domains else {
        return match Account::new(domain, user) {
            Some(account) if !user.contains('@') => Naming::Is(account),
            _ => Naming::Unnamed("winbind does not say whose name this is"),
        };
    };
    if user.contains(domains.separator) {
        return Naming::Unnamed("the name contains winbind's separator");
    }
    match (domain, user.rsplit_once('@')) {
        ("", None) => Naming::Lookup(vec![domains.join(&domains.own, user)]),
        ("", Some((name, suffix))) if !name.is_empty() && !name.contains('@') => {
            // The name of an account, or somebody else's principal name in the same
            // words: domain controllers differ in which they find first.
            let known = domains.find(suffix).map(|domain| domains.join(domain, name));
            Naming::Lookup(known.into_iter().chain([user.to_owned()]).collect())
        }
        (_, Some(_)) => Naming::Unnamed("it contains an @, but only a name is expected"),
        (_, None) => match domains.find(domain) {
            Some(known) => Naming::Lookup(vec![domains.join(known, user)]),
            // winbind may have taken a domain it does not know for its own.
            None => Naming::Lookup(vec![format!("{domain}{}{user}", domains.separator)]),
        },
    }
}

/// Names the account that winbind granted in its own words: `DOMAIN\user`, with
/// its own separator, or the user alone (`winbind use default domain`).
pub(in crate::mechanism::ntlm::helper) fn of_grant(
    name: &str,
    domains: Option<&Domains>,
) -> Naming {
    let separator = domains.map_or('\\', |domains| domains.separator);
    let (domain, user) = name.split_once(separator).unwrap_or(("", name));
    match (domain, domains) {
        ("", None) => {
            Naming::Unnamed("winbind named no domain, and does not say which one is its own")
        }
        ("", Some(domains)) => is(Account::new(&domains.own.netbios, user)),
        _ => is(Account::new(domain, user)),
    }
}

/// Of the accounts that winbind has for a claim, the one.
///
/// # Errors
/// They are several: nobody can say which of them was verified.
pub(in crate::mechanism::ntlm::helper) fn the_one(
    found: Vec<Account>,
) -> Result<Option<Account>, String> {
    let mut found = found.into_iter();
    let Some(one) = found.next() else { return Ok(None) };
    let other = found.find(|other| match (&one.sid, &other.sid) {
        (Some(one), Some(other)) => one != other,
        _ => one != *other,
    });
    match other {
        Some(other) => Err(format!("it can mean {one} or {other}")),
        None => Ok(Some(one)),
    }
}

/// Whether a directory finds an account by this name that is spelt otherwise: it
/// passes over spaces at the ends, and takes several for one (RFC 4518 section
/// 2.6.1). winbind remembers the spelling it was asked by, so it cannot be asked.
fn has_odd_spaces(user: &str) -> bool {
    let ends_oddly = |name: &str| name.starts_with(' ') || name.ends_with(' ');
    user.contains("  ") || user.split('@').any(ends_oddly)
}

fn is(account: Option<Account>) -> Naming {
    account.map_or(Naming::Unnamed("no account has this name"), Naming::Is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::helper::values::Domain;

    fn domain(netbios: &str, dns: Option<&str>) -> Domain {
        Domain { netbios: netbios.to_owned(), dns: dns.map(str::to_owned) }
    }

    fn domains(separator: char) -> Domains {
        Domains {
            own: domain("LAB", Some("lab.example")),
            others: vec![domain("TRUSTED", Some("trusted.example")), domain("OLD", None)],
            separator,
        }
    }

    fn named(account: &str) -> Naming {
        let (domain, user) = account.split_once('\\').unwrap();
        Naming::Is(Account::new(domain, user).unwrap())
    }

    fn lookup(names: &[&str]) -> Naming {
        Naming::Lookup(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_known_domain_and_a_user_are_an_account() {
        for (domain, expected) in [
            ("LAB", "LAB\\alice"),
            ("lab", "LAB\\alice"),
            ("Lab.Example", "LAB\\alice"),
            ("trusted.example", "TRUSTED\\alice"),
            ("OLD", "OLD\\alice"),
        ] {
            assert_eq!(of_message("alice", domain, Some(&domains('\\'))), lookup(&[expected]));
        }
    }

    #[test]
    fn any_other_name_is_looked_up() {
        for (user, domain, expected) in [
            ("alice", "", &["LAB\\alice"][..]),
            ("alice@lab.example", "", &["LAB\\alice", "alice@lab.example"]),
            ("alice@OLD", "", &["OLD\\alice", "alice@OLD"]),
            ("alice@mail.example", "", &["alice@mail.example"]),
            ("alice", "EVIL", &["EVIL\\alice"]),
        ] {
            let naming = of_message(user, domain, Some(&domains('\\')));
            assert_eq!(naming, lookup(expected), "{domain}\\{user}");
        }
        let naming = of_message("alice", "", Some(&domains('+')));
        assert_eq!(naming, lookup(&["LAB+alice"]));
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_nobody() {
        let domains = domains('+');
        for (user, domain) in [
            ("alice@lab.example", "LAB"),
            ("a@b@lab.example", ""),
            ("@lab.example", ""),
            ("EVIL+alice", ""),
        ] {
            let naming = of_message(user, domain, Some(&domains));
            assert!(matches!(naming, Naming::Unnamed(_)), "{domain}\\{user}: {naming:?}");
        }
    }

    #[test]
    fn a_name_with_spaces_that_a_directory_passes_over_is_nobody() {
        let domains = domains('\\');
        for user in [" jo smith", "jo smith ", "jo  smith", "jo smith @lab.example", " "] {
            for (domain, known) in [("LAB", Some(&domains)), ("", Some(&domains)), ("LAB", None)] {
                let naming = of_message(user, domain, known);
                assert!(matches!(naming, Naming::Unnamed(_)), "{domain}\\{user:?}: {naming:?}");
            }
        }
        assert_eq!(of_message("jo smith", "LAB", Some(&domains)), lookup(&["LAB\\jo smith"]));
    }

    #[test]
    fn without_winbind_only_a_domain_and_a_user_are_an_account() {
        assert_eq!(of_message("alice", "LAB", None), named("LAB\\alice"));
        for (user, domain) in [("alice", ""), ("alice@LAB", ""), ("alice@x", "LAB")] {
            assert!(
                matches!(of_message(user, domain, None), Naming::Unnamed(_)),
                "{domain}\\{user}"
            );
        }
    }

    #[test]
    fn a_name_that_is_two_accounts_is_nobodys() {
        let account = |user: &str, sid: &str| Account {
            sid: Some(sid.to_owned()),
            ..Account::new("LAB", user).unwrap()
        };
        let (alice, evil) =
            (account("alice", "S-1-5-21-1-500"), account("evil", "S-1-5-21-1-1103"));
        assert_eq!(the_one(vec![]), Ok(None));
        assert_eq!(the_one(vec![alice.clone()]), Ok(Some(alice.clone())));
        assert_eq!(the_one(vec![alice.clone(), alice.clone()]), Ok(Some(alice.clone())));
        assert!(the_one(vec![alice.clone(), evil.clone()]).is_err());
        assert!(the_one(vec![alice.clone(), alice, evil]).is_err());
    }

    #[test]
    fn a_grant_is_split_at_winbinds_separator() {
        let (backslash, plus) = (domains('\\'), domains('+'));
        for (name, domains, expected) in [
            ("LAB\\alice", Some(&backslash), "LAB\\alice"),
            ("LAB\\alice", None, "LAB\\alice"),
            ("LAB\\jürgen", None, "LAB\\jürgen"),
            ("alice", Some(&backslash), "LAB\\alice"),
            ("\\alice", Some(&backslash), "LAB\\alice"),
            ("TRUSTED+alice", Some(&plus), "TRUSTED\\alice"),
            ("LAB+a+b", Some(&plus), "LAB\\a+b"),
        ] {
            assert_eq!(of_grant(name, domains), named(expected), "{name}");
        }
    }

    #[test]
    fn a_grant_without_a_name_is_nobodys() {
        let backslash = domains('\\');
        for (name, domains) in [
            ("alice", None),
            ("\\alice", None),
            ("LAB\\", Some(&backslash)),
            ("LAB\\a\\b", Some(&backslash)),
        ] {
            assert!(matches!(of_grant(name, domains), Naming::Unnamed(_)), "{name}");
        }
    }
}
