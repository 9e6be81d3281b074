//! A password on its way to the code that can check it.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A password in UTF-8, wiped from memory when it is dropped. It is shown
/// nowhere; on the wire it stands as it is, in a body that nobody logs.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(#[serde(with = "text")] Zeroizing<String>);

impl Password {
    /// Takes a password over.
    pub(crate) fn new(password: Zeroizing<String>) -> Self {
        Self(password)
    }

    /// The password itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(not shown)")
    }
}

mod text {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        text: &Zeroizing<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::OpenSession;
    use crate::wire::open::Claim;

    #[test]
    fn it_travels_and_is_not_shown() {
        let text = r#"{"user":"john","password":"hunter2 ü"}"#;
        let request: OpenSession = serde_json::from_str(text).unwrap();
        let Claim::Password(claim) = &request.claim else { panic!("{request:?}") };
        assert_eq!(claim.password.reveal(), "hunter2 ü");
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
