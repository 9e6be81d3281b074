//! `[sso]`

mod kerberos;
mod ntlm;

pub(crate) use self::kerberos::Kerberos;
pub(crate) use self::ntlm::{HelperProtocol, Ntlm};
use super::{core, front};
use crate::config::reading::{Diagnostics, Located, Location, TextValue, section};
use crate::config::surroundings::Surroundings;
use crate::config::value_types::one_of;
use crate::identity::UserName;
use crate::wire::Mechanism;

section! {
    /// `[sso]`
    Written {
        enable_sso: bool = "true", Reload, "Whether anybody may sign on at all.";
        mechanisms: Vec<Located<Offer>> = r#"["certificate", "negotiate", "ntlm", "basic"]"#, Reload, "The mechanisms on offer, in this order.";
        channel_binding: ChannelBinding = r#""allow""#, Reload, "Whether a sign-on must be bound to its TLS connection.";
        kerberos: kerberos::Written = "{}", Section, "Kerberos.";
        ntlm: ntlm::Written = "{}", Section, "NTLM, through Samba.";
    }
    absent {}
}

/// `[sso]`
#[derive(Clone, Debug)]
pub(crate) struct Sso {
    pub enable_sso: bool,
    pub mechanisms: Vec<Mechanism>,
    /// Whether nobody wrote that list: NTLM is then offered only while it works.
    pub mechanisms_by_default: bool,
    pub channel_binding: ChannelBinding,
    pub kerberos: Kerberos,
    pub ntlm: Ntlm,
}

/// `channel_binding` (RFC 5929 tls-server-end-point)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    /// Bindings are not looked at.
    Off,
    /// A binding that is sent must be right.
    Allow,
    /// A right binding must be sent; plain HTTP cannot sign on.
    Require,
}

/// `certificates`: whether the front asks for certificates at all.
pub(in crate::config) fn check(
    written: &Written,
    front: &front::Written,
    core: &core::Written,
    certificates: bool,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Sso {
    binding(written.channel_binding.value, &written.channel_binding.at, front, diagnostics);
    Sso {
        enable_sso: written.enable_sso.value,
        mechanisms: mechanisms(written, certificates, surroundings, diagnostics),
        mechanisms_by_default: !written.mechanisms.is_set(),
        channel_binding: written.channel_binding.value,
        kerberos: kerberos::check(&written.kerberos, core, surroundings, diagnostics),
        ntlm: ntlm::check(&written.ntlm, diagnostics),
    }
}

/// What is offered. Certificates take authorities whose word is taken; without
/// them nobody is asked for one. NTLM takes a program of Samba's: where that is
/// not installed, the default list goes without, and a list that asks for it
/// stands with a warning.
fn mechanisms(
    written: &Written,
    certificates: bool,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<Mechanism> {
    let mut offered = known(&written.mechanisms, certificates, diagnostics);
    if written.kerberos.user_name.value == UserName::Upn && offered.contains(&Mechanism::Ntlm) {
        if written.mechanisms.is_set() {
            let said = "contains ntlm, which provides no user principal name: with sso.kerberos.user_name = \"upn\" nobody can sign on by NTLM; remove it";
            diagnostics.error(&written.mechanisms.at, said);
        } else {
            offered.retain(|mechanism| *mechanism != Mechanism::Ntlm);
        }
    }
    let ntlm_auth = &written.ntlm.ntlm_auth.value;
    if !offered.contains(&Mechanism::Ntlm) || (surroundings.installed)(ntlm_auth) {
        return offered;
    }
    if written.mechanisms.is_set() {
        let fix = "install Debian's package winbind, correct sso.ntlm.ntlm_auth, or remove ntlm";
        let said = format!("contains ntlm, but there is no program {}; {fix}", ntlm_auth.display());
        diagnostics.warn(&written.mechanisms.at, said);
    } else {
        offered.retain(|mechanism| *mechanism != Mechanism::Ntlm);
    }
    offered
}

/// What of a list can be offered. Whatever is written there and not offered is
/// told; the default list is not written.
pub(in crate::config) fn known(
    list: &Located<Vec<Located<Offer>>>,
    certificates: bool,
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<Mechanism> {
    let mut offered = Vec::new();
    for given in list.iter() {
        let Offer(mechanism) = given.value;
        if offered.contains(&mechanism) {
            let said = format!("{:?} is in the list twice; remove one", mechanism.as_str());
            diagnostics.error(&given.at, said);
        } else if mechanism == Mechanism::Certificate && !certificates {
            if list.is_set() {
                diagnostics.warn(&given.at, "\"certificate\" needs front.listen_tls and an authority in front.client_ssl_ca_file; it is not offered");
            }
        } else {
            offered.push(mechanism);
        }
    }
    if offered.is_empty() && list.is_set() {
        diagnostics.error(&list.at, "contains nothing that can be offered; write [\"negotiate\"]");
    }
    offered
}

/// Channel bindings need a channel: over plain HTTP nobody could sign on.
pub(in crate::config) fn binding(
    wanted: ChannelBinding,
    at: &Location,
    front: &front::Written,
    diagnostics: &mut Diagnostics<'_>,
) {
    if wanted == ChannelBinding::Require && front.listen_tls.is_empty() {
        diagnostics.warn(
            at,
            "is \"require\", but front.listen_tls is empty: nobody can sign on over plain HTTP",
        );
    }
}

/// A word of a `mechanisms` list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Offer(pub(in crate::config) Mechanism);

impl TextValue for Offer {
    const TYPE: &'static str = "mechanism";

    fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<_> =
            Mechanism::listed().map(|mechanism| (mechanism.as_str(), Self(mechanism))).collect();
        one_of(text, &words)
    }
}

impl TextValue for ChannelBinding {
    const TYPE: &'static str = "off, allow or require";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("off", Self::Off), ("allow", Self::Allow), ("require", Self::Require)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reading::FromToml;
    use crate::wire::mechanism::Listing;

    #[test]
    fn every_mechanism_that_may_be_listed_is_a_word_and_no_other_is() {
        for mechanism in Mechanism::ALL.iter().copied() {
            let listed = Offer::parse(mechanism.as_str()).ok();
            let may = mechanism.row().listing != Listing::Never;
            assert_eq!(listed, may.then_some(Offer(mechanism)), "{}", mechanism.as_str());
        }
    }

    #[test]
    fn the_default_list_has_those_that_are_offered_by_default() {
        let keys = <Written as FromToml>::KEYS;
        let default = keys.iter().find(|key| key.name == "mechanisms").unwrap().default;
        let expected: Vec<_> = Mechanism::listed()
            .filter(|mechanism| mechanism.row().listing == Listing::ByDefault)
            .map(|mechanism| format!("{:?}", mechanism.as_str()))
            .collect();
        assert_eq!(default, format!("[{}]", expected.join(", ")));
    }
}
