//! Who may come in, and under which login name.

use std::borrow::Cow;
use std::collections::HashMap;

use super::login::{canonical, check_length, is_odd, lower};
use super::{Identity, Origin, Principal};
use crate::identity::{Realm, Strip, UserName};
use crate::wire::{LoginId, Reason};

/// How a name came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via<'a> {
    /// A ticket proved it, or a password; the name is in MIT's display form.
    Kerberos {
        /// The realm of the key that accepted the ticket.
        acceptor_realm: Option<&'a str>,
    },
    /// winbind verified it; the name is `DOMAIN\user`.
    Ntlm {
        /// The domain that winbind belongs to.
        own_domain: Option<&'a str>,
    },
    /// A peer that may vouch for users named it.
    Trusted,
}

/// The rules of `[[core.realm]]` and `[core.altnames]`.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    realms: Vec<Realm>,
    altnames: HashMap<String, String>,
    fallback_realms: Vec<String>,
    /// Which of an account's names the login is.
    pub(super) user_name: UserName,
    /// Whether computers may sign on.
    pub(super) allow_computers: bool,
}

impl Rules {
    /// `altnames` maps principals, as written, to login names; of two that are
    /// the same principal the first holds. `fallback_realms` are the realms of
    /// the keytab: allowed in trusted names as long as no realm is configured.
    pub(crate) fn new(
        realms: &[Realm],
        altnames: &[(String, String)],
        fallback_realms: Vec<String>,
    ) -> Self {
        let mut rules = Self {
            realms: realms.to_vec(),
            altnames: HashMap::new(),
            fallback_realms,
            user_name: UserName::Sam,
            allow_computers: false,
        };
        for (principal, login) in altnames {
            let key = rules.altname_key(principal);
            rules.altnames.entry(key).or_insert_with(|| login.clone());
        }
        rules
    }

    /// The same rules with `[sso.kerberos] user_name` and `allow_computers`.
    #[must_use]
    pub(crate) fn naming(self, user_name: UserName, allow_computers: bool) -> Self {
        Self { user_name, allow_computers, ..self }
    }

    /// Whom these rules let in, for whoever has to find out why somebody is not.
    pub(crate) fn allowed(&self) -> String {
        let one = |realm: &Realm| match (realm.realm.as_str(), realm.domain.as_str()) {
            ("", domain) => format!("NTLM domain {domain}"),
            (realm, "") => realm.to_owned(),
            (realm, domain) => format!("{realm} (NTLM domain {domain})"),
        };
        if self.realms.is_empty() {
            return "no [[core.realm]] is set, so only users of this gateway's own realm and domain may sign on: list others in [[core.realm]]"
                .to_owned();
        }
        let listed: Vec<_> = self.realms.iter().map(one).collect();
        format!(
            "[[core.realm]] lists {}: set realm (for NTLM: domain) to that of the principal",
            listed.join(", ")
        )
    }

    /// The login of an explicit mapping of this principal.
    pub(super) fn altname(&self, principal: &str) -> Option<&str> {
        self.altnames.get(&self.altname_key(principal)).map(String::as_str)
    }

    /// The form in which principals of `[core.altnames]` are compared. Realm
    /// and domain count without case; the name too, unless its realm is
    /// case-sensitive; and a domain that is listed with its realm counts as that
    /// realm. Otherwise `JOHN@REALM` or `DOMAIN\john` would slip past the mapping
    /// of `john@REALM`, which is the same account. What holds odd characters is
    /// compared as it stands: in lower case it could be another name.
    fn altname_key(&self, principal: &str) -> String {
        if is_odd(principal) {
            return principal.to_owned();
        }
        if let Ok(parsed) = Principal::parse_trusted(principal)
            && let (origin @ Origin::Domain(_), [name]) = (parsed.origin(), parsed.components())
            && let Some(listed) = self.listed(origin).filter(|listed| !listed.realm.is_empty())
        {
            return self.altname_key(&format!("{name}@{}", listed.realm));
        }
        let Some((name, realm)) = principal.rsplit_once('@') else {
            return lower(principal);
        };
        match self.listed(&Origin::Realm(realm.to_owned())) {
            Some(listed) if listed.case_sensitive => format!("{name}@{}", lower(realm)),
            _ => lower(principal),
        }
    }

    pub(super) fn listed(&self, origin: &Origin) -> Option<&Realm> {
        self.realms.iter().find(|listed| match origin {
            Origin::Realm(realm) => same(&listed.realm, realm),
            Origin::Domain(domain) => same(&listed.domain, domain),
            Origin::Bare => false,
        })
    }

    /// The Kerberos realm behind what a name says, spelt as configured; `None`
    /// when it is not allowed, or a domain without a Kerberos realm.
    pub(super) fn kerberos_realm(&self, origin: &Origin) -> Option<String> {
        match (self.listed(origin), origin) {
            (Some(listed), _) => Some(&listed.realm).filter(|realm| !realm.is_empty()).cloned(),
            (None, Origin::Realm(realm)) if self.realms.is_empty() => {
                self.fallback_realms.iter().find(|own| same(own, realm)).cloned()
            }
            (None, _) => None,
        }
    }

    /// The realm somebody belongs to; `None` for a name without one, which only
    /// a trusted peer can give.
    pub(super) fn home(
        &self,
        origin: &Origin,
        via: Via<'_>,
    ) -> Result<Option<Cow<'_, Realm>>, Reason> {
        if let Some(listed) = self.listed(origin) {
            return Ok(Some(Cow::Borrowed(listed)));
        }
        match origin {
            Origin::Bare => Ok(None),
            Origin::Realm(name) | Origin::Domain(name) if self.is_own(origin, via) => {
                Ok(Some(Cow::Owned(own(name))))
            }
            Origin::Realm(_) | Origin::Domain(_) => Err(Reason::RealmNotAllowed),
        }
    }

    /// Whether a realm or domain is allowed because none is configured.
    fn is_own(&self, origin: &Origin, via: Via<'_>) -> bool {
        let is = |own: Option<&str>, given: &str| own.is_some_and(|own| same(own, given));
        self.realms.is_empty()
            && match (origin, via) {
                (Origin::Realm(realm), Via::Kerberos { acceptor_realm }) => {
                    is(acceptor_realm, realm)
                }
                (Origin::Domain(domain), Via::Ntlm { own_domain }) => is(own_domain, domain),
                (Origin::Realm(realm), Via::Trusted) => {
                    self.fallback_realms.iter().any(|own| same(own, realm))
                }
                _ => false,
            }
    }

    /// Case counts in a name without realm only where it counts in every realm.
    fn bare_is_case_sensitive(&self) -> bool {
        !self.realms.is_empty() && self.realms.iter().all(|realm| realm.case_sensitive)
    }
}

/// Says who `name` is here.
///
/// Explicit mappings come first; they may name principals of any realm and form.
/// Then the realm or domain must be listed (without a list: the acceptor's own
/// realm), and is taken off or kept as its `strip` says. A name that a trusted
/// peer gives without realm stands as it is.
///
/// # Errors
/// [`Reason::RealmNotAllowed`], [`Reason::OddPrincipal`] (a form that no login
/// has), [`Reason::ReservedName`], [`Reason::ComputerAccount`].
pub(crate) fn identify(name: &str, via: Via<'_>, rules: &Rules) -> Result<Identity, Reason> {
    if let Some(login) = rules.altname(name) {
        return mapped(name, login, via, rules);
    }
    let principal = parse(name, via)?;
    let home = rules.home(principal.origin(), via)?;
    let [user] = principal.components() else {
        return Err(Reason::OddPrincipal);
    };
    // A peer that names somebody itself answers for whom it names.
    if via != Via::Trusted && !rules.allow_computers && user.ends_with('$') {
        return Err(Reason::ComputerAccount);
    }
    of_realm(user, principal.origin(), via, home, rules)
}

/// The identity of a name in the realm that it belongs to.
pub(super) fn of_realm(
    user: &str,
    origin: &Origin,
    via: Via<'_>,
    home: Option<Cow<'_, Realm>>,
    rules: &Rules,
) -> Result<Identity, Reason> {
    Ok(match home {
        Some(realm) => {
            let login = stripped(user, origin, via, &realm)?;
            Identity { login_id: LoginId::new(login, &*realm.company) }
        }
        None => {
            let login = canonical(user, rules.bare_is_case_sensitive())?;
            Identity { login_id: LoginId::without_company(login) }
        }
    })
}

/// Takes a name apart as the way it came asks for.
pub(super) fn parse(name: &str, via: Via<'_>) -> Result<Principal, Reason> {
    match via {
        Via::Kerberos { .. } => Principal::parse_kerberos(name),
        Via::Ntlm { .. } => Principal::parse_ntlm(name),
        Via::Trusted => Principal::parse_trusted(name),
    }
}

/// The login of an explicit mapping, which may itself have a realm or domain.
/// It belongs to the tenant of the principal's realm.
pub(super) fn mapped(
    name: &str,
    login: &str,
    via: Via<'_>,
    rules: &Rules,
) -> Result<Identity, Reason> {
    let origin = parse(name, via).map_or(Origin::Bare, |principal| principal.origin().clone());
    let home = rules.listed(&origin);
    let case_sensitive =
        home.map_or_else(|| rules.bare_is_case_sensitive(), |realm| realm.case_sensitive);
    let target = Principal::parse_trusted(login)?;
    let [user] = target.components() else {
        return Err(Reason::OddPrincipal);
    };
    let user = canonical(user, case_sensitive)?;
    let listed = rules.listed(target.origin());
    let login = match target.origin() {
        Origin::Bare => user,
        Origin::Realm(realm) => format!("{user}@{}", listed.map_or(realm, |listed| &listed.realm)),
        Origin::Domain(domain) => {
            format!("{}\\{user}", listed.map_or(domain, |listed| &listed.domain))
        }
    };
    check_length(&login)?;
    let company = home.map(|realm| realm.company.clone()).unwrap_or_default();
    Ok(Identity { login_id: LoginId::new(login, company) })
}

/// The login of somebody from a listed realm. What is kept is spelt as
/// configured, so that the login is the same whoever typed it. The rule `zcp`
/// leaves the domain only in names that a web application gives: ZCP's server
/// took it off after NTLM.
fn stripped(user: &str, origin: &Origin, via: Via<'_>, listed: &Realm) -> Result<String, Reason> {
    let user = canonical(user, listed.case_sensitive)?;
    let login = match (listed.strip, origin) {
        (Strip::Keep, _) if listed.realm.is_empty() => format!("{}\\{user}", listed.domain),
        (Strip::Keep, _) => format!("{user}@{}", listed.realm),
        (Strip::Zcp, Origin::Domain(_)) if via == Via::Trusted => {
            format!("{}\\{user}", listed.domain)
        }
        (Strip::Exact | Strip::Zcp | Strip::Kopano, _) => user,
    };
    check_length(&login)?;
    Ok(login)
}

/// A realm that is allowed without being configured.
fn own(realm: &str) -> Realm {
    Realm {
        realm: realm.to_owned(),
        domain: String::new(),
        strip: Strip::Exact,
        company: String::new(),
        case_sensitive: false,
    }
}

/// Realms and domains are compared without case, as Active Directory does. One
/// that is not configured is the same as none.
pub(super) fn same(configured: &str, given: &str) -> bool {
    !configured.is_empty() && configured.eq_ignore_ascii_case(given)
}
