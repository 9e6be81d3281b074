//! What a newer peer asks beyond what this core knows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The part of a request that is not known here. A field that is not known is passed
/// over, so a peer that needs one to be understood names it in `crit`, as in
/// RFC 7515 section 4.1.11: a request that asks for more than the core can do is
/// refused, and never answered as something weaker.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Beyond {
    /// Fields that must be understood.
    #[serde(default)]
    crit: Vec<String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

impl Beyond {
    /// Whether the request can be answered; `own`: where none of the known fields says
    /// by what it asks, which means the caller's own account. A field that is not known
    /// may say it.
    ///
    /// # Errors
    /// It cannot, and what to do.
    pub(crate) fn check(&self, own: bool) -> Result<(), &'static str> {
        if !self.crit.is_empty() {
            return Err(
                "The request names fields in \"crit\" that this core does not know. Update \
                        the core, or send the request without them.",
            );
        }
        if own && !self.others.is_empty() {
            return Err("The request has fields that this core does not know, so it is not clear \
                        that \"user\" asks for its own account. Send \"user\" alone, or update the \
                        core.");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::OpenSession;
    use crate::wire::open::Fields;

    #[test]
    fn a_request_is_never_taken_for_a_weaker_one() {
        for (request, answered) in [
            (r#"{"user":"john"}"#, true),
            (r#"{"user":"john","otp":"123456"}"#, false),
            (r#"{"user":"john","crit":[]}"#, true),
            (r#"{"user":"john","trusted":true,"device":"phone"}"#, true),
            (r#"{"user":"john","trusted":true,"device":"phone","crit":["device"]}"#, false),
            (r#"{"user":"john","password":"secret","crit":["otp"],"otp":"1"}"#, false),
        ] {
            let fields: Fields<'_> = serde_json::from_str(request).unwrap();
            assert_eq!(OpenSession::try_from(fields).is_ok(), answered, "{request}");
        }
    }
}
