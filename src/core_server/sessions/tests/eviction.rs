//! Which sessions make room for new ones of the same user.

use super::*;

#[test]
fn at_the_bound_the_oldest_session_makes_room_that_had_time_to_be_claimed_and_was_not() {
    let sessions = empty();
    open(&sessions, "john", "claimed", at(0));
    lives(&sessions, "claimed", at(1));
    open(&sessions, "john", "b", at(2));
    open(&sessions, "john", "c", at(3));
    assert_eq!(open(&sessions, "john", "d", at(7)), keys(&["b"]));
    assert_eq!(open(&sessions, "john", "e", at(8)), keys(&["c"]));
    assert!(lives(&sessions, "claimed", at(9)));
    assert_eq!(sessions.len(), 3);
}

#[test]
fn a_session_that_had_no_time_to_be_claimed_goes_after_those_unused_for_longer() {
    let sessions = empty();
    for (name, second) in [("a", 0), ("b", 1), ("c", 1)] {
        open(&sessions, "john", name, at(second));
        lives(&sessions, name, at(second));
    }
    assert_eq!(open(&sessions, "john", "d", at(2)), keys(&["a"]));
    assert_eq!(open(&sessions, "john", "e", at(2)), keys(&["b"]));
    assert_eq!(open(&sessions, "john", "f", at(2)), keys(&["c"]));
    // Nothing but fresh ones: the first of them.
    assert_eq!(open(&sessions, "john", "g", at(2)), keys(&["d"]));
    assert!(lives(&sessions, "g", at(3)));
}

/// A monitor opens as many as it may and uses each once; then a person comes.
#[test]
fn who_signs_on_beside_twenty_thousand_used_sessions_keeps_the_new_one() {
    let sessions = with(Limits { per_user: 20_000, ..LIMITS });
    for number in 0..20_000 {
        let name = format!("monitor {number}");
        open(&sessions, "john", &name, at(number / 1_000));
        lives(&sessions, &name, at(number / 1_000));
    }
    for number in 0..100 {
        let name = format!("person {number}");
        // The order within a second is that of the opening.
        let oldest = |more| keys(&[&format!("monitor {}", 2 * number + more)]);
        assert_eq!(open(&sessions, "john", &name, at(20)), oldest(0));
        // The monitor goes on meanwhile.
        let another = format!("more {number}");
        assert_eq!(open(&sessions, "john", &another, at(20)), oldest(1));
        lives(&sessions, &another, at(20));
        assert!(lives(&sessions, &name, at(21)), "{number}");
    }
    assert_eq!(sessions.len(), 20_000);
}

#[test]
fn where_all_are_claimed_the_one_unused_longest_makes_room() {
    let sessions = empty();
    for (name, second) in [("a", 0), ("b", 1), ("c", 2)] {
        open(&sessions, "john", name, at(second));
        lives(&sessions, name, at(second));
    }
    lives(&sessions, "a", at(10));
    assert_eq!(open(&sessions, "john", "d", at(11)), keys(&["b"]));
    lives(&sessions, "d", at(11));
    assert_eq!(open(&sessions, "john", "e", at(12)), keys(&["c"]));
}

#[test]
fn the_bound_is_each_users_own_whatever_the_groups() {
    let sessions = empty();
    for name in ["a", "b", "c"] {
        open(&sessions, "john", name, at(0));
    }
    assert_eq!(open(&sessions, "mary", "d", at(1)), []);
    let administrator = user("john", &["S-1-5-32-544"]);
    let other = Record { user: administrator, ..record("john", "e", at(2)) };
    assert_eq!(insert(&sessions, other, at(2)), keys(&["a"]));
}

#[test]
fn a_bound_of_nothing_still_allows_one_session() {
    let sessions = with(Limits { per_user: 0, ..LIMITS });
    assert_eq!(open(&sessions, "john", "a", at(0)), []);
    assert_eq!(open(&sessions, "john", "b", at(0)), keys(&["a"]));
    assert!(lives(&sessions, "b", at(0)));
}
