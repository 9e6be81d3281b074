//! Whose account signs on.

use std::fmt;

/// Name and domain, as they stand in the third message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The domain, or nothing where the name tells it itself or the server knows.
    pub(super) domain: String,
    /// The name; `john@dns.domain` is sent as it is, with no domain beside it,
    /// as Windows does.
    pub(super) user: String,
}

impl Account {
    /// Reads `DOMAIN\user`, `user@dns.domain` or `user`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (domain, user) = text.split_once('\\').unwrap_or(("", text));
        let odd = |part: &str| part.contains(['\\', '/']) || part.contains(char::is_control);
        if user.is_empty() || odd(user) || odd(domain) {
            return Err(format!(
                "{text:?} is not an account name: write 'DOMAIN\\user' (in quotes, because the shell removes the backslash) or user@dns.domain"
            ));
        }
        if text.encode_utf16().count() > LONGEST {
            return Err(format!("the account name is longer than {LONGEST} characters"));
        }
        Ok(Self { domain: domain.to_owned(), user: user.to_owned() })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.domain.is_empty() {
            return f.write_str(&self.user);
        }
        write!(f, "{}\\{}", self.domain, self.user)
    }
}

/// Longer names exist in no directory.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_stands_before_the_backslash() {
        for (text, domain, user) in [
            (r"LAB\alice", "LAB", "alice"),
            ("alice@lab.example", "", "alice@lab.example"),
            ("jürgen", "", "jürgen"),
            (r"lab.example\alice", "lab.example", "alice"),
            (r"\alice", "", "alice"),
        ] {
            let expected = Account { domain: domain.to_owned(), user: user.to_owned() };
            assert_eq!(Account::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        let long = "a".repeat(LONGEST + 1);
        for text in ["", r"LAB\", r"LAB\a\b", "LAB/alice", "a\nb", "a\0", &long] {
            assert!(Account::parse(text).is_err(), "{text:?}");
        }
    }
}
