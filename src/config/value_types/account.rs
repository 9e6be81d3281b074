//! Accounts and groups of this host.

use toml::Spanned;
use toml::de::DeValue;

use crate::config::reading::{At, FromToml, Notes, wrong_type};

/// Local accounts: a name, a numeric uid in digits, or `@` and the name of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Account(pub(in crate::config) String);

impl FromToml for Account {
    fn type_name() -> String {
        "account name, uid or @group".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(_) | DeValue::String(_) => {
                let table = "/etc/passwd, or a group as @wheel";
                name_or_id(value, ["uid", "an account", table], at, notes).map(Self)
            }
            _ => wrong_type::<Self>(value, "write \"name\" or a number", at, notes),
        }
    }
}

/// A name as the system's table of users or groups has it, or an id, in digits.
/// `[id, what, table]` are the words of the complaint.
pub(in crate::config) fn name_or_id(
    value: &Spanned<DeValue<'_>>,
    [id, what, table]: [&str; 3],
    at: &At,
    notes: &mut Notes<'_>,
) -> Option<String> {
    let unfit = |c: char| c.is_control() || c.is_whitespace() || c == ':';
    match value.get_ref() {
        DeValue::Integer(digits) => {
            let read = u32::from_str_radix(digits.as_str(), digits.radix());
            if let Ok(number) = read
                && number != u32::MAX
            {
                return Some(number.to_string());
            }
            notes.error(at, format!("{digits} is not a {id}; write a number from 0 to 4294967294"));
        }
        DeValue::String(name) if !matches!(&**name, "" | "@") && !name.contains(unfit) => {
            return Some(name.to_string());
        }
        _ => {
            let shown = value.get_ref().as_str().unwrap_or_default();
            notes.error(at, format!("{shown:?} is not the name of {what}; write it as in {table}"));
        }
    }
    None
}
