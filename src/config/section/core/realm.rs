//! `[[core.realm]]`

use toml::Spanned;
use toml::de::DeValue;

use crate::config::reading::{At, FromToml, Given, Notes, section, wrong_type};

section! {
    /// `[[core.realm]]`
    Written {
        realm: String = r#""""#, Reload, "Kerberos realm.";
        domain: String = r#""""#, Reload, "Windows (NetBIOS) name of the domain.";
        strip: Strip = "true", Reload, "How the realm is removed from the login name.";
        case_sensitive: bool = "false", Reload, "Whether John and john are two people.";
    }
    absent {
        company: String = r#""""#, Refused, "Tenant of the realm's people.";
    }
}

/// `[[core.realm]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Realm {
    /// Kerberos realm.
    pub realm: String,
    /// NTLM domain; empty where there is none.
    pub domain: String,
    /// What becomes of the realm or domain in the login name.
    pub strip: Strip,
    /// Tenant of this realm's users.
    pub company: String,
    /// Whether `John` and `john` are two people in this realm (never in Active Directory).
    pub case_sensitive: bool,
}

/// `realm.strip`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strip {
    /// The name is kept whole: `john@ADSDOMAIN.EXAMPLE`.
    Keep,
    /// Exactly the listed realm or domain is taken off.
    Exact,
    /// Everything from the first `@` (ZCP's LOGINNAME_STRIP_DOMAIN); a backslash stays.
    Zcp,
    /// Everything up to the last backslash, else from the first `@` (Kopano WebApp).
    Kopano,
}

pub(super) fn check(list: &[Given<Written>], notes: &mut Notes<'_>) -> Vec<Realm> {
    for (index, entry) in list.iter().enumerate() {
        if entry.realm.is_empty() && entry.domain.is_empty() {
            notes.error(&entry.at, "has neither realm nor domain; set one");
        }
        is_place(&entry.realm, notes);
        is_place(&entry.domain, notes);
        let capitals = entry.realm.to_ascii_uppercase();
        if *entry.realm != capitals {
            let said = format!(
                "{:?} has small letters, and case matters in Kerberos: passwords are checked in a realm of exactly this spelling; write {capitals:?}, unless klist shows the realm with this spelling",
                entry.realm.value
            );
            notes.warn(&entry.realm.at, said);
        }
        for earlier in list.iter().take(index) {
            twins(&earlier.realm, &entry.realm, notes);
            twins(&earlier.domain, &entry.domain, notes);
        }
    }
    let realm = |given: &Given<Written>| Realm {
        realm: given.realm.value.clone(),
        domain: given.domain.value.clone(),
        strip: given.strip.value,
        company: String::new(),
        case_sensitive: given.case_sensitive.value,
    };
    list.iter().map(realm).collect()
}

/// Complains of what is no name of a realm or domain.
pub(in crate::config) fn is_place(name: &Given<String>, notes: &mut Notes<'_>) {
    if name.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '\\' | '/')) {
        let said = format!(
            "{:?} is not the name of a realm or domain; write it alone, as EXAMPLE.ORG",
            name.value
        );
        notes.error(&name.at, said);
    }
}

fn twins(earlier: &Given<String>, later: &Given<String>, notes: &mut Notes<'_>) {
    if !later.is_empty() && later.eq_ignore_ascii_case(earlier) {
        let line = notes.line(&earlier.at);
        notes.error(
            &later.at,
            format!("{:?} is already in the list (line {line}); remove one", later.value),
        );
    }
}

impl FromToml for Strip {
    fn type_name() -> String {
        "true, false, \"zcp\" or \"kopano\"".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(true) => Some(Self::Exact),
            DeValue::Boolean(false) => Some(Self::Keep),
            DeValue::String(rule) if rule == "zcp" => Some(Self::Zcp),
            DeValue::String(rule) if rule == "kopano" => Some(Self::Kopano),
            DeValue::String(rule) => {
                notes.error(
                    at,
                    format!("{rule:?} is not a rule; write true, false, \"zcp\" or \"kopano\""),
                );
                None
            }
            _ => wrong_type::<Self>(value, "write one of these", at, notes),
        }
    }
}
