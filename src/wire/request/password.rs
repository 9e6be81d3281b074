//! A password on its way to the code that can check it.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A password in UTF-8. JSON has it as it is, in a body that nobody logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Password(SecretString);

impl Password {
    pub(crate) const fn new(password: SecretString) -> Self {
        Self(password)
    }
}

impl ExposeSecret<str> for Password {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use crate::wire::OpenSession;
    use crate::wire::open::Claim;

    #[test]
    fn it_travels_and_is_not_shown() {
        let text = r#"{"user":"john","password":"hunter2 ü"}"#;
        let request: OpenSession = serde_json::from_str(text).unwrap();
        let Claim::Password(claim) = &request.claim else { panic!("{request:?}") };
        assert_eq!(claim.password.expose_secret(), "hunter2 ü");
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
