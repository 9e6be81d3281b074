//! The state of each part that a sign-on needs.

use std::fmt;

/// A part of what a sign-on needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::front) enum Part {
    /// The keys of the service.
    Keytab,
    /// The line to the core.
    Core,
    /// NTLM, where it is offered.
    Ntlm,
    /// The Kerberos library and krb5.conf.
    Kerberos,
    /// This gateway's clock.
    Clock,
    /// A KDC, where passwords are taken.
    Kdc,
    /// Room under `state_path`.
    Disk,
    /// The file of the tokens that were seen.
    ReplayCache,
    /// The audit log.
    Audit,
    /// Certificates and lists of revoked ones.
    Certificates,
}

impl Part {
    /// All of them, in the order of `/ready`.
    pub(in crate::front) const ALL: [Self; 10] = [
        Self::Keytab,
        Self::Core,
        Self::Ntlm,
        Self::Kerberos,
        Self::Clock,
        Self::Kdc,
        Self::Disk,
        Self::ReplayCache,
        Self::Audit,
        Self::Certificates,
    ];

    /// The word in `/ready`, in the log and in metrics.
    pub(in crate::front) const fn label(self) -> &'static str {
        match self {
            Self::Keytab => "keytab",
            Self::Core => "core",
            Self::Ntlm => "ntlm",
            Self::Kerberos => "kerberos",
            Self::Clock => "clock",
            Self::Kdc => "kdc",
            Self::Disk => "disk",
            Self::ReplayCache => "replay_cache",
            Self::Audit => "audit",
            Self::Certificates => "certificates",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// How a part is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::front) struct State {
    /// What keeps people from signing on, and what fixes it.
    pub broken: Option<String>,
    /// What somebody should look at, and what to do.
    pub notices: Vec<String>,
}

impl State {
    /// Nothing is wrong.
    pub(in crate::front) const OK: Self = Self { broken: None, notices: Vec::new() };

    /// People cannot sign on.
    pub(in crate::front) fn broken(why: impl Into<String>) -> Self {
        Self { broken: Some(why.into()), ..Self::OK }
    }

    /// They can, and somebody should look.
    pub(in crate::front) fn notice(what: impl Into<String>) -> Self {
        Self { notices: vec![what.into()], ..Self::OK }
    }

    /// The worse of the two first, and all notices.
    pub(in crate::front) fn and(mut self, other: Self) -> Self {
        match (&mut self.broken, other.broken) {
            (Some(first), Some(second)) => *first = format!("{first}; {second}"),
            (None, second) => self.broken = second,
            (Some(_), None) => {}
        }
        self.notices.extend(other.notices);
        self
    }
}

/// Whether two sentences tell of the same thing: free bytes and minutes change from
/// look to look.
pub(super) fn same_story(one: &str, other: &str) -> bool {
    let words = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_stands_together_with_all_notices() {
        let all = State::notice("a").and(State::broken("b")).and(State::broken("c")).and(State::OK);
        assert_eq!(all.broken.as_deref(), Some("b; c"));
        assert_eq!(all.notices, ["a"]);
    }

    #[test]
    fn another_figure_is_no_other_story() {
        assert!(same_story("12 MB are free", "9 MB are free"));
        assert!(!same_story("12 MB are free", "the disk is full"));
    }
}
