//! Principals as text, taken apart without judging them.

use crate::wire::Reason;

/// A name and where it says it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    components: Vec<String>,
    origin: Origin,
}

/// Where a principal says it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A Kerberos realm: `john@ADSDOMAIN.EXAMPLE`.
    Realm(String),
    /// A Windows domain: `ADSDOMAIN\john`.
    Domain(String),
    /// Nothing is said: `john`.
    Bare,
}

impl Principal {
    /// Takes apart the display form of the MIT library: components parted by
    /// `/`, then `@` and the realm. In both, `\` quotes `/`, `@` and itself,
    /// and stands before `n`, `t`, `b` and `0` for newline, tab, backspace and
    /// NUL (RFC 1964, 2.1.3).
    ///
    /// # Errors
    /// [`Reason::OddPrincipal`]: no realm, an empty one, more than one, or a
    /// quotation that RFC 1964 does not know.
    pub(crate) fn parse_kerberos(display: &str) -> Result<Self, Reason> {
        let mut components = Vec::new();
        let mut current = String::new();
        let mut in_realm = false;
        let mut characters = display.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => current.push(unquote(characters.next())?),
                '/' if !in_realm => components.push(std::mem::take(&mut current)),
                '@' if in_realm => return Err(Reason::OddPrincipal),
                '@' => {
                    components.push(std::mem::take(&mut current));
                    in_realm = true;
                }
                plain => current.push(plain),
            }
        }
        if !in_realm || current.is_empty() {
            return Err(Reason::OddPrincipal);
        }
        Ok(Self { components, origin: Origin::Realm(current) })
    }

    /// Takes apart what winbind verified: `DOMAIN\user`, parted at the first
    /// backslash, without quoting.
    ///
    /// # Errors
    /// [`Reason::OddPrincipal`]: no domain, or an empty one.
    pub(crate) fn parse_ntlm(name: &str) -> Result<Self, Reason> {
        match name.split_once('\\') {
            Some((domain, user)) if !domain.is_empty() => Ok(Self {
                components: vec![user.to_owned()],
                origin: Origin::Domain(domain.to_owned()),
            }),
            _ => Err(Reason::OddPrincipal),
        }
    }

    /// Takes apart what a trusted peer names: `john`, `john@REALM` or
    /// `DOMAIN\john`, without quoting. Instances are not parted: a `/` stays in
    /// the name.
    ///
    /// # Errors
    /// [`Reason::OddPrincipal`]: an empty realm or domain, or more than one of
    /// either or of both, since then it is unclear which one vouches for whom.
    pub(crate) fn parse_trusted(name: &str) -> Result<Self, Reason> {
        let mut parts = name.split(['@', '\\']);
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        if parts.next().is_some() {
            return Err(Reason::OddPrincipal);
        }
        let (user, origin) = match second {
            None => (first, Origin::Bare),
            Some(_) if first.is_empty() => return Err(Reason::OddPrincipal),
            Some("") => return Err(Reason::OddPrincipal),
            Some(user) if name.contains('\\') => (user, Origin::Domain(first.to_owned())),
            Some(realm) => (first, Origin::Realm(realm.to_owned())),
        };
        Ok(Self { components: vec![user.to_owned()], origin })
    }

    /// The parts of the name, unquoted: one for a person, more for an instance
    /// (`alice/admin`) or a service (`HTTP/web.example`). Never empty.
    pub(crate) fn components(&self) -> &[String] {
        &self.components
    }

    /// Where it says it comes from.
    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }
}

fn unquote(quoted: Option<char>) -> Result<char, Reason> {
    match quoted {
        Some(itself @ ('\\' | '/' | '@')) => Ok(itself),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('b') => Ok('\u{8}'),
        Some('0') => Ok('\0'),
        _ => Err(Reason::OddPrincipal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kerberos(display: &str) -> (Vec<String>, Origin) {
        let principal = Principal::parse_kerberos(display).unwrap();
        (principal.components, principal.origin)
    }

    #[test]
    fn a_display_name_is_parted_at_what_is_not_quoted() {
        let realm = || Origin::Realm("LAB.TEST".to_owned());
        assert_eq!(kerberos("alice@LAB.TEST"), (vec!["alice".to_owned()], realm()));
        assert_eq!(
            kerberos("alice/admin@LAB.TEST"),
            (vec!["alice".to_owned(), "admin".to_owned()], realm())
        );
        assert_eq!(kerberos(r"a\@b@LAB.TEST"), (vec!["a@b".to_owned()], realm()));
        assert_eq!(kerberos(r"a\/b@LAB.TEST"), (vec!["a/b".to_owned()], realm()));
        assert_eq!(kerberos(r"a\\b@LAB.TEST"), (vec![r"a\b".to_owned()], realm()));
        assert_eq!(kerberos(r"a\n\t\b\0@LAB.TEST"), (vec!["a\n\t\u{8}\0".to_owned()], realm()));
    }

    #[test]
    fn the_realm_may_hold_a_slash_and_quoted_characters() {
        assert_eq!(kerberos("a@X/Y").1, Origin::Realm("X/Y".to_owned()));
        assert_eq!(kerberos(r"a@X\@Y").1, Origin::Realm("X@Y".to_owned()));
    }

    #[test]
    fn a_display_name_without_one_whole_realm_is_odd() {
        for odd in ["", "alice", "alice@", "a@b@LAB.TEST", r"a\@LAB.TEST", r"a\x@LAB.TEST", r"a@B\"]
        {
            assert_eq!(Principal::parse_kerberos(odd), Err(Reason::OddPrincipal), "{odd}");
        }
    }

    #[test]
    fn a_trusted_name_says_its_origin_on_one_side_only() {
        let origin = |name| Principal::parse_trusted(name).map(|parsed| parsed.origin);
        assert_eq!(origin("john"), Ok(Origin::Bare));
        assert_eq!(origin("john@LAB.TEST"), Ok(Origin::Realm("LAB.TEST".to_owned())));
        assert_eq!(origin(r"LAB\john"), Ok(Origin::Domain("LAB".to_owned())));
        for odd in
            [r"LAB\john@LAB.TEST", "a@b@LAB.TEST", r"A\B\john", "john@", "@LAB", r"\john", r"LAB\"]
        {
            assert_eq!(origin(odd), Err(Reason::OddPrincipal), "{odd}");
        }
    }
}
