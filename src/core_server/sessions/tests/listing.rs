//! Lists of sessions.

use super::*;
use crate::core_server::sessions::listing::OddCursor;

#[test]
fn sessions_are_listed_in_the_order_in_which_they_were_opened_page_by_page() {
    let sessions = empty();
    for (second, login, name) in
        [(0, "mary", "a"), (1, "john", "b"), (2, "mary", "c"), (3, "john", "d")]
    {
        open(&sessions, login, name, at(second));
    }
    assert!(lives(&sessions, "b", at(100)), "a use changes no order");
    let place = |name| {
        let found = sessions.see(&SessionKey::sample(name), at(100)).unwrap();
        // What a client sends back is the text.
        Some(Cursor::of(&found.record).to_string().parse().unwrap())
    };
    let list = |filter: &Filter, after, at_most, second| {
        let found = sessions.list(filter, after, at_most, at(second));
        found.iter().map(|found| found.record.key).collect::<Vec<_>>()
    };
    assert_eq!(list(&Filter::All, None, 3, 3), keys(&["a", "b", "c"]));
    assert_eq!(list(&Filter::All, place("c"), 3, 3), keys(&["d"]));
    assert_eq!(list(&Filter::All, place("d"), 3, 3), []);
    let john = Filter::User(LoginId::without_company("john"));
    assert_eq!(list(&john, None, 9, 3), keys(&["b", "d"]));
    assert_eq!(list(&john, place("b"), 9, 3), keys(&["d"]));
    assert_eq!(list(&john, place("a"), 1, 3), keys(&["b"]), "after a session of another");
    let namesake = Filter::User(LoginId::new("john", "acme"));
    assert_eq!(list(&namesake, None, 1, 3), [], "of another tenant");
    let id = SessionKey::sample("c").short();
    assert_eq!(list(&Filter::Id(id), None, 9, 3), keys(&["c"]));
    // What has run out is not listed, even before it is swept.
    assert_eq!(list(&Filter::All, None, 9, 124), keys(&["b"]));
}

#[test]
fn pages_of_sessions_of_one_second_leave_none_out_and_none_twice() {
    let sessions = empty();
    for number in 0..50 {
        open(&sessions, &format!("user{number}"), &number.to_string(), at(0));
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = sessions.list(&Filter::All, after, 7, at(0));
        let Some(last) = page.last() else { break };
        after = Some(Cursor::of(&last.record));
        seen.extend(page.iter().map(|found| found.record.key));
    }
    assert_eq!(seen.len(), 50);
    assert!(seen.is_sorted());
}

#[test]
fn a_place_in_a_list_is_what_a_list_gave() {
    let key = SessionKey::sample("a");
    for odd in
        ["", "7", "7.", ".", "-1.", &key.to_string(), &format!("x.{key}"), &format!("7.{key}0")]
    {
        assert_eq!(odd.parse::<Cursor>(), Err(OddCursor), "{odd}");
    }
    assert!(format!("7.{key}").parse::<Cursor>().is_ok());
}

#[test]
fn looking_at_a_session_is_no_use_of_it() {
    let sessions = empty();
    open(&sessions, "john", "a", at(0));
    let key = SessionKey::sample("a");
    let seen = sessions.see(&key, at(100)).unwrap();
    assert_eq!(seen.usage, Usage { last_used: at(0), claimed: false });
    assert!(sessions.table().take_unwritten().uses.is_empty());
    assert_eq!(sessions.see(&key, at(120)), None);
}
