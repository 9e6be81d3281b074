//! The table of principals, and properties of all names.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{Identity, Rules, Via, identify, verified};
use crate::identity::{Realm, Strip, UserName};
use crate::wire::{Account, AccountKind, Reason};

const TABLE: &str = include_str!("../../tests/cases/principals.case");

#[test]
fn every_principal_of_the_table_has_its_answer() {
    let (rules, cases) = read_table();
    assert!(cases.len() > 100, "the table was not read: {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let rules = &rules[case.rules];
            let got = match &case.account {
                None => identify(&case.name, case.via, rules),
                account => verified(&case.name, account.as_ref(), case.via, rules)
                    .map_err(|refused| refused.reason),
            };
            let got = written(&got);
            (got != case.expected).then(|| format!("line {}: got {got:?}", case.line))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_cannot_be_written_in_the_table_is_refused_too() {
    let rules = listed(Strip::Exact);
    let same_to_the_eye =
        ["\u{212a}im", "e\u{301}ve", "\u{130}van", "jo\u{200d}hn", "\u{202e}nhoj"];
    for name in same_to_the_eye.into_iter().chain(["john\u{a0}", "john\u{feff}"]) {
        assert_eq!(identify(name, Via::Trusted, &rules), Err(Reason::OddPrincipal), "{name:?}");
    }
}

#[test]
fn a_kept_realm_counts_towards_the_length_of_a_login() {
    let name = format!("{}@ADSDOMAIN.EXAMPLE", "a".repeat(250));
    assert!(identify(&name, Via::Trusted, &listed(Strip::Exact)).is_ok());
    assert_eq!(identify(&name, Via::Trusted, &listed(Strip::Keep)), Err(Reason::OddPrincipal));
}

proptest! {
    #[test]
    fn no_name_panics(name in "\\PC{0,40}|[a@/\\\\\0 ,nb]{0,12}", strip in any_strip()) {
        let _ = identify(&name, Via::Trusted, &listed(strip));
        let _ = identify(&name, Via::Kerberos { acceptor_realm: Some("A") }, &listed(strip));
        let _ = identify(&name, Via::Kerberos { acceptor_realm: None }, &unlisted());
        let _ = identify(&name, Via::Ntlm { own_domain: Some("A") }, &listed(strip));
    }

    #[test]
    fn a_realm_that_is_not_listed_yields_nobody(
        user in "[a-zA-Z0-9$/\\\\@]{0,12}",
        realm in "[A-Z.]{1,20}",
        strip in any_strip(),
    ) {
        prop_assume!(realm != "ADSDOMAIN.EXAMPLE");
        let name = format!("{user}@{realm}");
        let own = Via::Kerberos { acceptor_realm: Some("ADSDOMAIN.EXAMPLE") };
        let same = Via::Kerberos { acceptor_realm: Some(&realm) };
        prop_assert!(identify(&name, own, &unlisted()).is_err());
        prop_assert!(identify(&name, same, &listed(strip)).is_err());
        prop_assert!(identify(&name, Via::Trusted, &listed(strip)).is_err());
        prop_assert!(identify(&name, Via::Trusted, &unlisted()).is_err());
    }

    #[test]
    fn what_is_asked_for_never_makes_the_login(
        sam in "[a-z\u{e4}\u{c4}$.]{1,8}", asked in "\\PC{0,12}", computers in any::<bool>()
    ) {
        let rules = listed(Strip::Exact).naming(UserName::Sam, computers);
        let via = Via::Kerberos { acceptor_realm: None };
        let account = read_account(&sam);
        let name = |user: &str| format!("{user}@ADSDOMAIN.EXAMPLE");
        let own = verified(&name(&sam), Some(&account), via, &rules);
        if let Ok(other) = verified(&name(&asked), Some(&account), via, &rules) {
            prop_assert_eq!(Ok(other), own);
        }
    }

    #[test]
    fn a_login_is_its_own_canonical_form(name in "\\PC{1,12}", strip in any_strip()) {
        for name in [format!("{name}@ADSDOMAIN.EXAMPLE"), format!("ADSDOMAIN\\{name}"), name] {
            if let Ok(once) = identify(&name, Via::Trusted, &listed(strip)) {
                let twice = identify(once.login(), Via::Trusted, &listed(strip));
                prop_assert_eq!(twice.map(|identity| identity.login_id), Ok(once.login_id));
            }
        }
    }
}

fn any_strip() -> impl Strategy<Value = Strip> {
    prop::sample::select(vec![Strip::Keep, Strip::Exact, Strip::Zcp, Strip::Kopano])
}

fn listed(strip: Strip) -> Rules {
    let realm = Realm {
        realm: "ADSDOMAIN.EXAMPLE".to_owned(),
        domain: "ADSDOMAIN".to_owned(),
        strip,
        company: String::new(),
        case_sensitive: false,
    };
    Rules::new(&[realm], &[], Vec::new())
}

fn unlisted() -> Rules {
    Rules::new(&[], &[], vec!["ADSDOMAIN.EXAMPLE".to_owned()])
}

fn written(result: &Result<Identity, Reason>) -> String {
    match result {
        Ok(who) => who.login_id().to_string(),
        Err(reason) => format!("refused: {reason}"),
    }
}

struct Case {
    line: usize,
    via: Via<'static>,
    account: Option<Account>,
    rules: &'static str,
    name: String,
    expected: &'static str,
}

#[derive(Default)]
struct Definition {
    realms: Vec<Realm>,
    altnames: Vec<(String, String)>,
    fallback: Vec<String>,
    naming: Option<(UserName, bool)>,
}

fn read_table() -> (HashMap<&'static str, Rules>, Vec<Case>) {
    let mut definitions = HashMap::<&str, Definition>::new();
    let mut cases = Vec::new();
    for (number, line) in TABLE.lines().enumerate() {
        if let Some(definition) = line.strip_prefix("rules ") {
            let (word, text) = definition.split_once(':').unwrap();
            definitions.entry(word).or_default().add(text.trim());
        } else if !line.is_empty() && !line.starts_with('#') {
            cases.push(read_case(number + 1, line));
        }
    }
    let build = |from: Definition| {
        let (user_name, computers) = from.naming.unwrap_or((UserName::Sam, false));
        Rules::new(&from.realms, &from.altnames, from.fallback).naming(user_name, computers)
    };
    (definitions.into_iter().map(|(word, from)| (word, build(from))).collect(), cases)
}

impl Definition {
    fn add(&mut self, text: &str) {
        if let Some(mapping) = text.strip_prefix("altname ") {
            let (principal, login) = mapping.split_once(" = ").unwrap();
            self.altnames.push((principal.to_owned(), login.to_owned()));
        } else if let Some(words) = text.strip_prefix("user_name ") {
            let user_name = match words.split(' ').next().unwrap() {
                "sam" => UserName::Sam,
                "upn" => UserName::Upn,
                "principal" => UserName::Principal,
                other => panic!("no such user_name: {other}"),
            };
            self.naming = Some((user_name, words.ends_with(" computers")));
        } else if let Some(realm) = text.strip_prefix("fallback ") {
            self.fallback.push(realm.to_owned());
        } else {
            self.realms.push(read_realm(text));
        }
    }
}

fn read_realm(text: &str) -> Realm {
    let mut words = text.split_whitespace();
    let mut realm = Realm {
        realm: words.next().unwrap().to_owned(),
        domain: words.next().unwrap().replace('-', ""),
        strip: match words.next().unwrap() {
            "exact" => Strip::Exact,
            "keep" => Strip::Keep,
            "zcp" => Strip::Zcp,
            "kopano" => Strip::Kopano,
            other => panic!("no such strip rule: {other}"),
        },
        company: String::new(),
        case_sensitive: false,
    };
    for word in words {
        match word.strip_prefix("company=") {
            Some(company) => company.clone_into(&mut realm.company),
            None => realm.case_sensitive = word == "case-sensitive",
        }
    }
    realm
}

fn read_case(line: usize, text: &'static str) -> Case {
    let (input, expected) = text.split_once(" ---- ").unwrap();
    let [via, rules, name] = input.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
        panic!("line {line}: three columns are needed");
    };
    let signs = [('␠', ' '), ('␀', '\0'), ('␉', '\t'), ('␊', '\n'), ('␡', '\u{7f}')];
    let unsigned = |text: &str| {
        signs.iter().fold(text.to_owned(), |text, (sign, character)| {
            text.replace(*sign, &character.to_string())
        })
    };
    let (way, own) = via.split_once(':').unwrap_or((via, "-"));
    let account = ["pac", "winbind"].contains(&way).then(|| read_account(&unsigned(own)));
    let own = Some(own).filter(|own| *own != "-");
    let via = match way {
        "proven" => Via::Kerberos { acceptor_realm: own },
        "ntlm" => Via::Ntlm { own_domain: own },
        "pac" => Via::Kerberos { acceptor_realm: Some("ADSDOMAIN.EXAMPLE") },
        "winbind" => Via::Ntlm { own_domain: Some("ADSDOMAIN") },
        "trusted" => Via::Trusted,
        other => panic!("line {line}: no such way: {other}"),
    };
    let name = unsigned(name);
    Case { line, via, account, rules, name, expected }
}

/// `SAM,UPN,DOMAIN`, of which a sign alone is nothing.
fn read_account(text: &str) -> Account {
    let mut parts = text.split(',').map(|part| Some(part.to_owned()).filter(|part| part != "-"));
    let sam = parts.next().flatten().unwrap();
    let (upn, other) = (parts.next().flatten(), parts.next().flatten());
    Account {
        kind: if sam.ends_with('$') { AccountKind::Computer } else { AccountKind::Person },
        sam,
        upn,
        domain: other.is_none().then(|| "ADSDOMAIN".to_owned()),
        dns_domain: Some(other.unwrap_or_else(|| "adsdomain.example".to_owned())),
        sid: None,
    }
}
