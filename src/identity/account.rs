//! The identity of a verified account, from the PAC of a ticket or from winbind. A principal is
//! what the client asked for, and the KDC finds accounts by many names: without a computer's `$`,
//! by a principal name that users may have set themselves, in different upper and lower case. So
//! the account's own name makes the login.

use super::login::same_name;
use super::mapping::{Rules, Via, identify, mapped, of_realm, parse, same};
use super::{Identity, Origin, Principal};
use crate::identity::UserName;
use crate::wire::{Account, AccountKind, Denied, Reason};

/// Says who is here, shown as `principal` and verified as `account`. Where the
/// verifier tells no account, as MIT's KDC, the principal is its word.
///
/// # Errors
/// Besides those of [`identify`]: [`Reason::ComputerAccount`],
/// [`Reason::AccountConflict`], [`Reason::UpnMissing`].
pub(crate) fn verified(
    principal: &str,
    account: Option<&Account>,
    via: Via<'_>,
    rules: &Rules,
) -> Result<Identity, Denied> {
    let Some(account) = account else {
        return Ok(identify(principal, via, rules)?);
    };
    let shown = parse(principal, via)?;
    let origin = shown.origin();
    if let Some(detail) = foreign(account, origin, rules) {
        return Err(Denied::new(Reason::AccountConflict, detail));
    }
    if let Some(login) = explicit(principal, &shown, account, rules) {
        return Ok(mapped(principal, login, via, rules)?);
    }
    let home = rules.home(origin, via)?;
    let is_computer = account.kind == AccountKind::Computer || account.sam.ends_with('$');
    if is_computer && !rules.allow_computers {
        let detail = format!("{principal} is the computer {}", account.sam);
        return Err(Denied::new(Reason::ComputerAccount, detail));
    }
    match rules.user_name {
        UserName::Sam => Ok(of_realm(&account.sam, origin, via, home, rules)?),
        UserName::Upn => by_upn(account, via, rules),
        UserName::Principal => match same_account(&shown, account) {
            Some(Shown::Name(name)) => Ok(of_realm(name, origin, via, home, rules)?),
            Some(Shown::Upn) => by_upn(account, via, rules),
            None => {
                let detail =
                    format!("the ticket names {principal}, but the account is {}", named(account));
                Err(Denied::new(Reason::AccountConflict, detail))
            }
        },
    }
}

/// Why the account cannot be of the realm that vouches for it: its domain is another.
fn foreign(account: &Account, origin: &Origin, rules: &Rules) -> Option<String> {
    let Origin::Realm(realm) = origin else { return None };
    let listed = rules.listed(origin).map_or("", |listed| listed.domain.as_str());
    let of_dns = account.dns_domain.as_deref().filter(|dns| !same(dns, realm));
    let of_domain =
        account.domain.as_deref().filter(|domain| !listed.is_empty() && !same(listed, domain));
    let domain = of_dns.or(of_domain)?;
    Some(format!(
        "the ticket is from the realm {realm}, but its account {} is from {domain}",
        account.sam
    ))
}

/// The explicit mapping of the account, by any name that is its own: the SAM name
/// with its realm or domain, and that of which the login is made.
fn explicit<'a>(
    principal: &str,
    shown: &Principal,
    account: &Account,
    rules: &'a Rules,
) -> Option<&'a str> {
    let sam = Some(&account.sam).filter(|sam| !sam.contains(['@', '\\', '/']));
    let realm = match shown.origin() {
        Origin::Realm(realm) => Some(realm.clone()),
        _ => account.dns_domain.as_deref().map(str::to_ascii_uppercase),
    };
    let in_realm = sam.zip(realm).map(|(sam, realm)| format!("{sam}@{realm}"));
    let in_domain =
        sam.zip(account.domain.as_ref()).map(|(sam, domain)| format!("{domain}\\{sam}"));
    let chosen = match rules.user_name {
        UserName::Sam => None,
        UserName::Upn => account.upn.clone(),
        UserName::Principal => same_account(shown, account).map(|_| principal.to_owned()),
    };
    let mut names = [in_realm, in_domain, chosen].into_iter().flatten();
    names.find_map(|name| rules.altname(&name))
}

/// By which of the account's names it was shown.
enum Shown<'a> {
    /// The SAM name, or the part of the principal name before the realm.
    Name(&'a str),
    /// The whole principal name (NT-ENTERPRISE).
    Upn,
}

/// By which name of the account the principal is; `None` where it is another's.
fn same_account<'a>(shown: &'a Principal, account: &Account) -> Option<Shown<'a>> {
    let [name] = shown.components() else { return None };
    if same_name(name, &account.sam) {
        return Some(Shown::Name(name));
    }
    let (prefix, suffix) = account.upn.as_deref()?.rsplit_once('@')?;
    let is_upn = |prefix_shown: &str, suffix_shown: &str| {
        same_name(prefix_shown, prefix) && same(suffix, suffix_shown)
    };
    match (name.rsplit_once('@'), shown.origin()) {
        (Some((name, place)), _) if is_upn(name, place) => Some(Shown::Upn),
        (None, Origin::Realm(realm)) if is_upn(name, realm) => Some(Shown::Name(name)),
        _ => None,
    }
}

/// The login by the user principal name, whose suffix must be an allowed realm.
fn by_upn(account: &Account, via: Via<'_>, rules: &Rules) -> Result<Identity, Denied> {
    let upn = account.upn.as_deref().ok_or_else(|| {
        let detail = format!("the user principal name of {} is not known", named(account));
        Denied::new(Reason::UpnMissing, detail)
    })?;
    let Some((prefix, suffix)) = upn.rsplit_once('@') else {
        return Err(Denied::new(Reason::OddPrincipal, format!("its UPN is {upn}")));
    };
    let origin = Origin::Realm(suffix.to_owned());
    let home = rules.home(&origin, via).map_err(|reason| {
        let detail =
            format!("the suffix of the UPN {upn} of {} is not a listed realm", account.sam);
        Denied::new(reason, detail)
    })?;
    Ok(of_realm(prefix, &origin, via, home, rules)?)
}

/// The account for a log line.
fn named(account: &Account) -> String {
    match &account.domain {
        Some(domain) => format!("{domain}\\{}", account.sam),
        None => account.sam.clone(),
    }
}
