//! `require`: which signed-on users may use a site.

use crate::config::section::Requirement;
use crate::identity::is_login;
use crate::wire::{AdminLevel, User};

/// Whether the user meets any of the requirements. A site that lists none takes whoever is signed on.
pub(in crate::front) fn satisfied(requirements: &[Requirement], user: &User) -> bool {
    requirements.is_empty() || requirements.iter().any(|requirement| meets(requirement, user))
}

fn meets(requirement: &Requirement, user: &User) -> bool {
    match requirement {
        Requirement::ValidUser => true,
        Requirement::User(name) => is_login(name, &user.login_id, false),
        Requirement::UserExactly(name) => is_login(name, &user.login_id, true),
        Requirement::Group(name) => {
            user.groups.iter().any(|group| group.eq_ignore_ascii_case(name))
        }
        Requirement::Company(name) => {
            !user.company().is_empty() && user.company().eq_ignore_ascii_case(name)
        }
        Requirement::Admin => user.admin > AdminLevel::None,
    }
}

/// What is required, and what the user has of it: for the log.
pub(in crate::front) fn unmet(requirements: &[Requirement], user: &User) -> String {
    let wanted: Vec<_> = requirements.iter().map(ToString::to_string).collect();
    let mut said =
        format!("the site requires {}; this is user:{}", wanted.join(" or "), user.login_id);
    if !requirements.iter().any(|requirement| matches!(requirement, Requirement::Group(_))) {
        return said;
    }
    let groups: Vec<_> = user.groups.iter().take(GROUPS_TOLD).map(String::as_str).collect();
    said += &match user.groups.len() {
        0 => ", without groups".to_owned(),
        all if all > GROUPS_TOLD => {
            format!(" in {all} groups, among them {}", groups.join(", "))
        }
        _ => format!(" in the groups {}", groups.join(", ")),
    };
    said
}

/// A line of the log names so many groups.
const GROUPS_TOLD: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::LoginId;

    fn user() -> User {
        User {
            login_id: LoginId::without_company("alice"),
            name: String::new(),
            email: String::new(),
            groups: vec!["S-1-5-21-1-2-3-513".to_owned()],
            admin: AdminLevel::None,
        }
    }

    #[test]
    fn any_one_of_the_requirements_is_enough() {
        let group = |name: &str| Requirement::Group(name.to_owned());
        let name = |name: &str| Requirement::User(name.to_owned());
        for (requirements, expected) in [
            (vec![], true),
            (vec![Requirement::ValidUser], true),
            (vec![name("Alice")], true),
            (vec![name("bob")], false),
            (vec![Requirement::UserExactly("Alice".to_owned())], false),
            (vec![Requirement::UserExactly("alice".to_owned())], true),
            (vec![name("bob"), name("alice")], true),
            (vec![group("s-1-5-21-1-2-3-513")], true),
            (vec![group("S-1-5-21-1-2-3-51")], false),
            (vec![Requirement::Company(String::new())], false),
            (vec![Requirement::Admin], false),
        ] {
            assert_eq!(satisfied(&requirements, &user()), expected, "{requirements:?}");
        }
    }

    #[test]
    fn a_namesake_of_a_tenant_is_somebody_else() {
        let alice = User { login_id: LoginId::new("alice", "acme"), ..user() };
        let company = Requirement::Company("Acme".to_owned());
        for (requirement, expected) in [
            (Requirement::User("alice".to_owned()), false),
            (Requirement::UserExactly("alice".to_owned()), false),
            (company.clone(), true),
        ] {
            assert_eq!(satisfied(&[requirement], &alice), expected);
        }
        assert!(!satisfied(&[company], &user()), "who is of no tenant");
    }

    #[test]
    fn a_refusal_tells_what_is_required_and_what_the_user_has() {
        let group = Requirement::Group("S-1-5-32-544".to_owned());
        let bob = Requirement::User("bob".to_owned());
        assert_eq!(
            unmet(std::slice::from_ref(&bob), &user()),
            "the site requires user:bob; this is user:alice"
        );
        assert_eq!(
            unmet(&[bob, group.clone()], &user()),
            "the site requires user:bob or group:S-1-5-32-544; this is user:alice in the groups S-1-5-21-1-2-3-513"
        );
        let nobody = User { groups: Vec::new(), ..user() };
        assert!(unmet(std::slice::from_ref(&group), &nobody).ends_with("without groups"));
        let many = User { groups: vec!["S-1-1-0".to_owned(); 1000], ..user() };
        let said = unmet(&[group], &many);
        assert!(said.contains("in 1000 groups") && said.len() < 600, "{said}");
    }

    #[test]
    fn an_administrator_of_any_level_meets_admin() {
        for level in [AdminLevel::Company, AdminLevel::System] {
            let user = User { admin: level, ..user() };
            assert!(satisfied(&[Requirement::Admin], &user));
        }
    }
}
