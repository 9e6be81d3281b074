//! Every actor, every action.

use std::slice::from_ref;

use super::*;
use crate::identity::Named;
use crate::identity::Rules;

fn named(name: &str) -> Named {
    Named::read(name.to_owned(), &Rules::new(&[], &[], Vec::new())).unwrap()
}

fn person(level: AdminLevel, id: &LoginId) -> Actor<'_> {
    Actor::Person { id, level }
}

#[test]
fn every_actor_may_do_what_the_table_says() {
    use Action::{
        AccountOf, ActAsUser, AskWhoami, CountAttempts, EndAsBearer, EndSession, HearEvents,
        OpenByPassword, OpenByProof, OpenOwn, OpenTrusted, ProposeSecret, Resolve, SeeKeys,
        SeeSession, SeeSessions, TellClients, VouchFor,
    };
    let [john, mary, owner] = ["john", "mary", "x"].map(LoginId::without_company);
    let (root, foreign) = (LoginId::without_company("root"), LoginId::new("root", "acme"));
    let all = [
        ("proof", OpenByProof),
        ("secret", ProposeSecret),
        ("clients", TellClients),
        ("attempts", CountAttempts),
        ("trusted", OpenTrusted),
        ("vouch for john", VouchFor(&john)),
        ("vouch for mary", VouchFor(&mary)),
        ("password", OpenByPassword),
        ("own", OpenOwn),
        ("account john", AccountOf("john")),
        ("account mary", AccountOf("mary")),
        ("act as mary", ActAsUser(&mary)),
        ("resolve", Resolve),
        ("end", EndAsBearer),
        ("whoami", AskWhoami),
        ("events", HearEvents),
        ("see one", SeeSession(Some(&owner))),
        ("see none", SeeSession(None)),
        ("end one", EndSession(Some(&owner))),
        ("end none", EndSession(None)),
        ("list", SeeSessions),
        ("keys", SeeKeys),
    ];
    let john = ActAs::User(LoginId::without_company("john"));
    let bearer = ["password", "resolve", "end", "whoami"];
    for (actor, more, is_bearer) in [
        (Actor::System, all.map(|(word, _)| word).to_vec(), true),
        (Actor::Front, vec!["proof", "secret", "clients", "attempts", "events"], true),
        (Actor::Service(&[]), vec!["clients", "trusted"], true),
        (Actor::Service(from_ref(&john)), vec!["clients", "trusted", "vouch for john"], true),
        (Actor::Program(Some("john")), vec!["own", "account john"], true),
        (Actor::Program(None), vec![], true),
        (Actor::Nobody, vec!["password", "whoami"], false),
        (person(AdminLevel::None, &root), vec![], false),
        (person(AdminLevel::Company, &root), vec!["act as mary", "see one", "end one"], false),
        (person(AdminLevel::Company, &foreign), vec![], false),
        (person(AdminLevel::System, &foreign), vec!["act as mary", "see one", "end one"], false),
    ] {
        let expected = |word: &&str| more.contains(word) || is_bearer && bearer.contains(word);
        let granted = all.iter().filter(|(_, action)| permits(actor, *action));
        let granted: Vec<&str> = granted.map(|(word, _)| *word).collect();
        let expected: Vec<&str> = all.map(|(word, _)| word).into_iter().filter(expected).collect();
        assert_eq!(granted, expected, "{actor:?}");
    }
}

#[test]
fn a_key_vouches_for_those_it_is_given() {
    let (john, company) =
        (ActAs::User(LoginId::without_company("john")), ActAs::Company("acme".into()));
    for (act_as, name, may) in [
        (&[ActAs::Anybody][..], "mary", true),
        (from_ref(&john), "John", true),
        (from_ref(&john), "mary", false),
        (from_ref(&company), "john", false),
        (&[company.clone(), john.clone()], "john", true),
        (&[], "john", false),
    ] {
        let vouched = permit(Actor::Service(act_as), VouchFor(named(name)));
        assert_eq!(vouched.is_ok(), may, "{act_as:?} {name}");
    }
}

#[test]
fn a_denial_says_what_may_not_be_done() {
    let denied = permit(Actor::Front, SeeKeys).unwrap_err();
    assert_eq!(denied, Denied::new(Reason::NotPermitted, "see the keys of peers"));
    let mary = named("mary");
    let denied = permit(Actor::Service(&[]), VouchFor(mary.clone())).unwrap_err();
    assert_eq!(denied.reason, Reason::PublicKeyScope);
    let denied = permit(person(AdminLevel::None, &LoginId::without_company("x")), ActAsUser(mary))
        .unwrap_err();
    assert_eq!(denied.reason, Reason::NotAdministrator);
}
