//! Names that people type with a password.

use unicode_normalization::UnicodeNormalization;

use super::mapping::Rules;
use super::{Origin, Principal};
use crate::wire::Reason;

/// Whose password it must be, as far as what was typed says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The user's name in the realm, as typed; accents composed (Unicode NFC).
    pub user: String,
    /// The realm, spelt as configured.
    pub realm: String,
}

impl Typed {
    /// The principal in display form, for [`super::identify`]. Names with a
    /// character that would have to be quoted are no accounts.
    pub(crate) fn principal(&self) -> String {
        format!("{}@{}", self.user, self.realm)
    }
}

/// Whose password somebody has typed: `john`, `john@REALM` or `DOMAIN\john`.
/// A name without either belongs to `default_realm`. Some systems type accents as
/// signs of their own (NFD), which is the same name.
///
/// # Errors
/// [`Reason::RealmNotAllowed`]: the realm or domain is not listed, has no
/// Kerberos realm, or there is no default. [`Reason::OddPrincipal`]: a form that
/// no account has.
pub(crate) fn typed(
    name: &str,
    rules: &Rules,
    default_realm: Option<&str>,
) -> Result<Typed, Reason> {
    let name: String = name.nfc().collect();
    let principal = Principal::parse_trusted(&name)?;
    let [user] = principal.components() else {
        return Err(Reason::OddPrincipal);
    };
    if user.contains(['/', '\\', '@']) {
        return Err(Reason::OddPrincipal);
    }
    let origin = match (principal.origin(), default_realm) {
        (Origin::Bare, Some(realm)) => Origin::Realm(realm.to_owned()),
        (Origin::Bare, None) => return Err(Reason::RealmNotAllowed),
        (named, _) => named.clone(),
    };
    let realm = rules.kerberos_realm(&origin).ok_or(Reason::RealmNotAllowed)?;
    Ok(Typed { user: user.clone(), realm })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Realm, Strip};

    fn listed(realm: &str, domain: &str) -> Realm {
        Realm {
            realm: realm.to_owned(),
            domain: domain.to_owned(),
            strip: Strip::Exact,
            company: String::new(),
            case_sensitive: false,
        }
    }

    fn principal(name: &str, rules: &Rules, default: Option<&str>) -> Result<String, Reason> {
        typed(name, rules, default).map(|typed| typed.principal())
    }

    #[test]
    fn every_spelling_leads_to_the_listed_realm() {
        let rules = Rules::new(&[listed("EXAMPLE.TEST", "EX")], &[], Vec::new());
        for name in ["john", "john@EXAMPLE.TEST", "john@example.test", r"EX\john", r"ex\john"] {
            let found = principal(name, &rules, Some("EXAMPLE.TEST"));
            assert_eq!(found.as_deref(), Ok("john@EXAMPLE.TEST"), "{name}");
        }
    }

    #[test]
    fn accents_are_composed() {
        let rules = Rules::new(&[listed("EXAMPLE.TEST", "EX")], &[], Vec::new());
        let found = principal("ju\u{308}rgen", &rules, Some("EXAMPLE.TEST"));
        assert_eq!(found.as_deref(), Ok("jürgen@EXAMPLE.TEST"));
    }

    #[test]
    fn what_is_not_listed_has_no_account() {
        let rules = Rules::new(&[listed("", "NTONLY")], &[], Vec::new());
        for name in ["john@OTHER.TEST", r"OTHER\john", r"NTONLY\john", "john"] {
            assert_eq!(principal(name, &rules, None), Err(Reason::RealmNotAllowed), "{name}");
        }
        for name in ["a/b", "a@b@EXAMPLE.TEST", r"A\b@EXAMPLE.TEST"] {
            assert_eq!(principal(name, &rules, Some("X")), Err(Reason::OddPrincipal), "{name}");
        }
    }

    #[test]
    fn without_a_list_the_keytabs_realms_count() {
        let rules = Rules::new(&[], &[], vec!["EXAMPLE.TEST".to_owned()]);
        let found = |name| principal(name, &rules, Some("EXAMPLE.TEST"));
        assert_eq!(found("john").as_deref(), Ok("john@EXAMPLE.TEST"));
        assert_eq!(found("john@example.test").as_deref(), Ok("john@EXAMPLE.TEST"));
        assert_eq!(found("john@OTHER.TEST"), Err(Reason::RealmNotAllowed));
    }
}
