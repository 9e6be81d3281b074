//! Who a session belongs to.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who somebody is here: a login name, and the tenant that it belongs to. Two
/// tenants may each have a john, so it is compared as a whole and never by its login.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LoginId {
    login: String,
    company: String,
}

impl LoginId {
    /// A login of this tenant; empty: of none.
    pub(crate) fn new(login: impl Into<String>, company: impl Into<String>) -> Self {
        Self { login: login.into(), company: company.into() }
    }

    /// What a login means that is written without a tenant: the user who is of none.
    pub(crate) fn without_company(login: impl Into<String>) -> Self {
        Self::new(login, "")
    }

    /// The login name, stripped and canonical: `john`. To show, not to compare.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    /// The tenant; empty outside multi-tenancy.
    pub(crate) fn company(&self) -> &str {
        &self.company
    }
}

/// For people: `john`, and `john (exampleorg)` of a tenant.
impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.company.as_str() {
            "" => f.write_str(&self.login),
            company => write!(f, "{} ({company})", self.login),
        }
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// Who a session belongs to. On the wire, login and company are two of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Fields")]
pub(crate) struct User {
    /// Who it is.
    pub login_id: LoginId,
    /// The full name; empty when the directory has none.
    pub name: String,
    /// The mail address; empty when the directory has none.
    pub email: String,
    /// Group names, and SIDs (`S-1-5-…`) where only those are known.
    pub groups: Vec<String>,
    /// What it may administer.
    pub admin: AdminLevel,
}

impl User {
    /// The login name, to show.
    pub(crate) fn login(&self) -> &str {
        self.login_id.login()
    }

    /// The tenant, to show; empty outside multi-tenancy.
    pub(crate) fn company(&self) -> &str {
        self.login_id.company()
    }
}

/// A user on the wire.
#[derive(Deserialize)]
struct Fields {
    login: String,
    name: String,
    email: String,
    company: String,
    groups: Vec<String>,
    admin: AdminLevel,
}

impl From<Fields> for User {
    fn from(fields: Fields) -> Self {
        let Fields { login, name, email, company, groups, admin } = fields;
        Self { login_id: LoginId { login, company }, name, email, groups, admin }
    }
}

impl Serialize for User {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { login_id, name, email, groups, admin } = self;
        let mut fields = serializer.serialize_struct("User", 6)?;
        fields.serialize_field("login", login_id.login())?;
        fields.serialize_field("name", name)?;
        fields.serialize_field("email", email)?;
        fields.serialize_field("company", login_id.company())?;
        fields.serialize_field("groups", groups)?;
        fields.serialize_field("admin", admin)?;
        fields.end()
    }
}

/// What somebody may administer (ZCP manual 6.2.6): on the wire 0, 1 or 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum AdminLevel {
    /// Nothing.
    #[default]
    None,
    /// The own tenant.
    Company,
    /// The whole system.
    System,
}

impl AdminLevel {
    /// The number in headers, assertions and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Company => "1",
            Self::System => "2",
        }
    }
}

impl Serialize for AdminLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::None => 0,
            Self::Company => 1,
            Self::System => 2,
        })
    }
}

/// A number that is not known, of a newer peer, gives no rights.
impl<'de> Deserialize<'de> for AdminLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match u64::deserialize(deserializer)? {
            1 => Self::Company,
            2 => Self::System,
            _ => Self::None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOHN: &str = r#"{"login":"john","name":"John Doe","email":"","company":"acme","groups":["S-1-1-0"],"admin":1}"#;

    #[test]
    fn a_user_is_six_fields_on_the_wire() {
        let john: User = serde_json::from_str(JOHN).unwrap();
        assert_eq!(john.login_id, LoginId::new("john", "acme"));
        assert_eq!(serde_json::to_string(&john).unwrap(), JOHN);
    }

    #[test]
    fn johns_of_two_tenants_are_two_users() {
        let of = |company: &str| LoginId::new("john", company);
        assert_ne!(of("acme"), of("beta"));
        assert_ne!(of("acme"), LoginId::without_company("john"));
        assert_eq!(of("acme").to_string(), "john (acme)");
        assert_eq!(of("").to_string(), "john");
    }

    #[test]
    fn a_level_that_is_not_known_gives_no_rights() {
        for (level, number) in
            [(AdminLevel::None, "0"), (AdminLevel::Company, "1"), (AdminLevel::System, "2")]
        {
            assert_eq!(serde_json::to_string(&level).unwrap(), number);
            assert_eq!(level.as_str(), number);
            assert_eq!(serde_json::from_str::<AdminLevel>(number).unwrap(), level);
        }
        assert_eq!(serde_json::from_str::<AdminLevel>("3").unwrap(), AdminLevel::None);
        assert!(serde_json::from_str::<AdminLevel>("\"2\"").is_err());
    }
}
