//! What `/ready` answers.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::{Seen, state::Part};

/// The body of `/ready`: each part is `ok`, or why it is not and what fixes it.
#[derive(Debug)]
pub(in crate::front) struct Report<'a> {
    seen: &'a Seen,
    unlisted: Vec<String>,
}

impl<'a> Report<'a> {
    /// Of what was seen, and of proxies that are not listed.
    pub(in crate::front) fn new(seen: &'a Seen, unlisted: Vec<String>) -> Self {
        Self { seen, unlisted }
    }
}

/// `{"ready": true, "keytab": "ok", "core": "ok", …, "notices": []}`
impl Serialize for Report<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ready", &self.seen.is_ready())?;
        for part in Part::ALL {
            if let Some(state) = self.seen.parts.get(&part) {
                let said = state.broken.as_deref().unwrap_or("ok");
                map.serialize_entry(part.label(), said)?;
            }
        }
        let notices = self.seen.parts.values().flat_map(|state| &state.notices);
        let notices: Vec<_> = notices.chain(&self.unlisted).collect();
        map.serialize_entry("notices", &notices)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn each_part_is_ok_or_says_why_not() {
        let parts = [
            (Part::Core, State::OK),
            (Part::Keytab, State::broken("no keys")),
            (Part::Disk, State::notice("little room")),
        ];
        let seen = Seen { look: 1, parts: parts.into(), services: None, ntlm_counts: true };
        let text = serde_json::to_string(&Report::new(&seen, vec!["a proxy".to_owned()])).unwrap();
        assert_eq!(
            text,
            r#"{"ready":false,"keytab":"no keys","core":"ok","disk":"ok","notices":["little room","a proxy"]}"#
        );
    }
}
