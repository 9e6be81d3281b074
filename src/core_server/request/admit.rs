//! The decision: whether the identified user may have a session, as whom, and for how long.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::wire::mechanism::EndsWith;
use crate::wire::{AdminLevel, LoginId, Mechanism, Reason, User};

/// Leave to open one session. Made only by [`admit`] and [`impersonate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    user: User,
    facts: Facts,
    expires_at: Timestamp,
    impersonator: Option<LoginId>,
}

/// What is known of a sign-on besides the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// How the owner was proven.
    pub mechanism: Mechanism,
    /// The principal, or the name that a trusted peer gave, exactly as it came.
    pub principal: String,
    /// By password: the name as it was typed.
    pub typed: Option<String>,
    /// The key that a certificate was shown for, by its fingerprint.
    pub public_key: Option<String>,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// When the ticket or the certificate ends.
    pub ends_at: Option<Timestamp>,
    /// Group SIDs from the ticket.
    pub groups: Vec<String>,
}

impl Facts {
    /// Of somebody who is known by a name alone.
    pub(in crate::core_server) const fn named(mechanism: Mechanism, principal: String) -> Self {
        Self {
            mechanism,
            principal,
            typed: None,
            public_key: None,
            channel_bound: false,
            ends_at: None,
            groups: Vec::new(),
        }
    }
}

impl Admission {
    /// The administrator who acts as that user.
    pub(crate) const fn impersonator(&self) -> Option<&LoginId> {
        self.impersonator.as_ref()
    }

    /// The user, what was known, and when the session ends at the latest.
    pub(in crate::core_server) fn into_parts(self) -> (User, Facts, Timestamp) {
        (self.user, self.facts, self.expires_at)
    }
}

/// Decides under `user_plugin = "realm"`: whoever an allowed realm proves is a
/// user. The session ends after `lifetime`, and with the ticket or certificate.
///
/// # Errors
/// [`Reason::TicketExpired`], [`Reason::CertificateExpired`]: that end is now or past.
pub(crate) fn admit(
    identity: &Identity,
    mut facts: Facts,
    lifetime: Duration,
    now: Timestamp,
) -> Result<Admission, Reason> {
    if facts.ends_at.is_some_and(|end| end <= now) {
        return Err(match facts.mechanism.row().ends_with {
            EndsWith::Certificate => Reason::CertificateExpired,
            EndsWith::Ticket | EndsWith::Nothing => Reason::TicketExpired,
        });
    }
    let latest = now.plus(lifetime);
    let expires_at = facts.ends_at.map_or(latest, |end| end.min(latest));
    let user = user(identity, std::mem::take(&mut facts.groups));
    Ok(Admission { user, facts, expires_at, impersonator: None })
}

/// Lets who was admitted act as `other`: administrators of the system (level
/// 2), those of a company within it (level 1), and anybody for whom SYSTEM
/// itself asks. The session is then the other's in all respects; that somebody
/// acts as them stands in the audit log.
///
/// # Errors
/// [`Reason::NotAdministrator`].
pub(crate) fn impersonate(
    admission: Admission,
    other: &Identity,
    by_system: bool,
) -> Result<Admission, Reason> {
    let who = &admission.user;
    let within_company = who.admin == AdminLevel::Company && who.company() == other.company();
    if !by_system && !within_company && who.admin < AdminLevel::System {
        return Err(Reason::NotAdministrator);
    }
    let Admission { user: User { login_id, .. }, facts, expires_at, .. } = admission;
    // The ticket's groups were the administrator's.
    let user = user(other, Vec::new());
    Ok(Admission { user, facts, expires_at, impersonator: Some(login_id) })
}

fn user(identity: &Identity, groups: Vec<String>) -> User {
    User {
        login_id: identity.login_id().clone(),
        name: String::new(),
        email: String::new(),
        groups,
        admin: AdminLevel::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Rules, Via, identify};

    const NOW: u64 = 1_000_000;
    const HOUR: u64 = 3600;

    fn john() -> Identity {
        let via = Via::Kerberos { acceptor_realm: Some("EXAMPLE.TEST") };
        identify("John@EXAMPLE.TEST", via, &Rules::new(&[], &[], Vec::new())).unwrap()
    }

    fn facts(ends_at: Option<u64>) -> Facts {
        Facts {
            mechanism: Mechanism::Negotiate,
            principal: "John@EXAMPLE.TEST".into(),
            typed: None,
            public_key: None,
            channel_bound: true,
            ends_at: ends_at.map(Timestamp::from_unix),
            groups: vec!["S-1-5-21-1-2-3-513".into()],
        }
    }

    fn decide(ends_at: Option<u64>) -> Result<u64, Reason> {
        let now = Timestamp::from_unix(NOW);
        admit(&john(), facts(ends_at), Duration::from_secs(10 * HOUR), now)
            .map(|admission| admission.expires_at.unix())
    }

    #[test]
    fn a_session_ends_after_its_lifetime_or_with_the_ticket() {
        for (ticket_ends, session_ends) in [
            (None, Ok(NOW + 10 * HOUR)),
            (Some(NOW + 11 * HOUR), Ok(NOW + 10 * HOUR)),
            (Some(NOW + 10 * HOUR), Ok(NOW + 10 * HOUR)),
            (Some(NOW + 9 * HOUR), Ok(NOW + 9 * HOUR)),
            (Some(NOW + 1), Ok(NOW + 1)),
            (Some(NOW), Err(Reason::TicketExpired)),
            (Some(NOW - 1), Err(Reason::TicketExpired)),
            (Some(0), Err(Reason::TicketExpired)),
        ] {
            assert_eq!(decide(ticket_ends), session_ends, "ticket ends {ticket_ends:?}");
        }
    }

    #[test]
    fn the_user_is_the_identity_with_the_groups_of_the_ticket_and_no_rights() {
        let now = Timestamp::from_unix(NOW);
        let admission = admit(&john(), facts(None), Duration::from_secs(1), now).unwrap();
        let (user, facts, _) = admission.into_parts();
        assert_eq!(
            user,
            User {
                login_id: LoginId::without_company("john"),
                name: String::new(),
                email: String::new(),
                groups: vec!["S-1-5-21-1-2-3-513".into()],
                admin: AdminLevel::None,
            }
        );
        assert_eq!(facts.principal, "John@EXAMPLE.TEST");
        assert!(facts.channel_bound);
    }

    #[test]
    fn only_administrators_act_as_somebody_else_and_those_of_a_company_within_it() {
        let now = Timestamp::from_unix(NOW);
        let mary = identify("mary", Via::Trusted, &Rules::new(&[], &[], Vec::new())).unwrap();
        for (admin, company, by_system, may) in [
            (AdminLevel::None, "", false, false),
            (AdminLevel::None, "", true, true),
            (AdminLevel::Company, "", false, true),
            (AdminLevel::Company, "acme", false, false),
            (AdminLevel::System, "acme", false, true),
        ] {
            let mut admission = admit(&john(), facts(None), Duration::from_secs(1), now).unwrap();
            admission.user.admin = admin;
            admission.user.login_id = LoginId::new("john", company);
            match impersonate(admission, &mary, by_system) {
                Err(reason) => assert_eq!((reason, may), (Reason::NotAdministrator, false)),
                Ok(admission) => {
                    assert!(may, "{admin:?} of {company:?}");
                    assert_eq!(admission.impersonator(), Some(&LoginId::new("john", company)));
                    let (user, facts, _) = admission.into_parts();
                    assert_eq!((user.login(), user.admin), ("mary", AdminLevel::None));
                    assert!(user.groups.is_empty());
                    assert_eq!(facts.principal, "John@EXAMPLE.TEST");
                }
            }
        }
    }
}
