//! A name is brought into its one form before it is compared with anything.

use crate::gateway::{Gateway, Setup, reached, web};
use crate::lab::http::Response;
use crate::lab::realm;

/// The sign of the kelvin, whose lower case is an ordinary `k`.
const KIM: &str = "\u{212a}im";
const PASSWORD: &str = "Pw-of-another-kim-1";

fn with(more: &str, site: &'static str) -> Gateway {
    let listed =
        format!("[[core.realm]]\nrealm = \"{}\"\ndomain = \"{}\"\n", realm().name, realm().domain);
    Setup { site, more: format!("{listed}{more}"), ..Setup::default() }.start()
}

fn sign_on(gateway: &Gateway) -> Response {
    let ticket = realm().kinit(KIM, PASSWORD, &[]).unwrap();
    gateway.send_token(&ticket.tokens(&web(), 1).remove(0))
}

#[test]
fn a_name_of_odd_letters_has_no_altname_but_its_own_and_meets_no_requirement() {
    realm().add_account(KIM, PASSWORD);
    let refused = |answer: &Response| answer.json()["error"].as_str().unwrap().to_owned();
    let altname = format!("[core.altnames]\n\"kim@{}\" = \"boss\"", realm().name);
    assert_eq!(refused(&sign_on(&with(&altname, ""))), "odd_principal");
    assert_eq!(refused(&sign_on(&with("", "require = [\"user:kim\"]"))), "odd_principal");
    let own = format!("[core.altnames]\n\"{KIM}@{}\" = \"the.other.kim\"", realm().name);
    assert_eq!(reached(&sign_on(&with(&own, "")), "Remote-User"), ["the.other.kim"]);
}

#[test]
fn where_case_counts_a_requirement_is_met_by_its_own_spelling_only() {
    let listed = |case: &str| {
        let more = format!("[[core.realm]]\nrealm = \"{}\"\n{case}\n", realm().name);
        Setup { site: "require = [\"user:Alice\"]", more, ..Setup::default() }.start()
    };
    let token = || realm().ticket("alice").tokens(&web(), 1).remove(0);
    assert_eq!(listed("").send_token(&token()).status, 200);
    assert_eq!(listed("case_sensitive = true").send_token(&token()).status, 403);
}
