//! The decision: whether the identified user may have a session, as whom, and for how long.

use std::time::Duration;

use super::identified::{Facts, Identified};
use crate::clock::Timestamp;
use crate::core_server::rights::{ActAsUser, Permit};
use crate::wire::mechanism::EndsWith;
use crate::wire::{AdminLevel, LoginId, Reason, User};

/// Leave to open one session. Made only by [`admit`] and [`impersonate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Admission {
    user: User,
    facts: Facts,
    expires_at: Timestamp,
    impersonator: Option<LoginId>,
}

impl Admission {
    /// The administrator who acts as that user.
    pub(in crate::core_server) const fn impersonator(&self) -> Option<&LoginId> {
        self.impersonator.as_ref()
    }

    /// Whose session it will be.
    pub(in crate::core_server) const fn user(&self) -> &User {
        &self.user
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
pub(in crate::core_server) fn admit(
    identified: Identified,
    lifetime: Duration,
    now: Timestamp,
) -> Result<Admission, Reason> {
    let (identity, mut facts) = identified.into_parts();
    if facts.ends_at.is_some_and(|end| end <= now) {
        return Err(match facts.mechanism.row().ends_with {
            EndsWith::Certificate => Reason::CertificateExpired,
            EndsWith::Ticket | EndsWith::Nothing => Reason::TicketExpired,
        });
    }
    let latest = now.plus(lifetime);
    let expires_at = facts.ends_at.map_or(latest, |end| end.min(latest));
    let user = user(identity.login_id().clone(), std::mem::take(&mut facts.groups));
    Ok(Admission { user, facts, expires_at, impersonator: None })
}

/// Makes the session somebody else's in all respects; that somebody acts as them
/// is in the audit log.
pub(in crate::core_server) fn impersonate(
    admission: Admission,
    permit: Permit<ActAsUser>,
) -> Admission {
    let Admission { user: User { login_id, .. }, facts, expires_at, .. } = admission;
    // The ticket's groups were the administrator's.
    let user = user(permit.action().0.login_id().clone(), Vec::new());
    Admission { user, facts, expires_at, impersonator: Some(login_id) }
}

fn user(login_id: LoginId, groups: Vec<String>) -> User {
    User { login_id, name: String::new(), email: String::new(), groups, admin: AdminLevel::None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_server::rights::permit;
    use crate::identity::Named;
    use crate::identity::Rules;
    use crate::wire::{Mechanism, Proof};

    const NOW: u64 = 1_000_000;
    const HOUR: u64 = 3600;

    fn rules() -> Rules {
        Rules::new(&[], &[], Vec::new())
    }

    fn john(ends_at: Option<u64>) -> Identified {
        let proof = Proof {
            mechanism: Mechanism::Negotiate,
            principal: "John@EXAMPLE.TEST".into(),
            acceptor_realm: Some("EXAMPLE.TEST".into()),
            account: None,
            public_key: None,
            channel_bound: true,
            ends_at: ends_at.map(Timestamp::from_unix),
            groups: vec!["S-1-5-21-1-2-3-513".into()],
        };
        Identified::proven(proof, &rules()).unwrap()
    }

    fn admitted(ends_at: Option<u64>) -> Result<Admission, Reason> {
        let now = Timestamp::from_unix(NOW);
        admit(john(ends_at), Duration::from_secs(10 * HOUR), now)
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
            let ends = admitted(ticket_ends).map(|admission| admission.expires_at.unix());
            assert_eq!(ends, session_ends, "ticket ends {ticket_ends:?}");
        }
    }

    #[test]
    fn the_user_is_the_identity_with_the_groups_of_the_ticket_and_no_rights() {
        let (user, facts, _) = admitted(None).unwrap().into_parts();
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
    fn who_acts_as_somebody_else_has_their_session_and_is_named_beside_it() {
        for (admin, may) in
            [(AdminLevel::None, false), (AdminLevel::Company, true), (AdminLevel::System, true)]
        {
            let mut admission = admitted(None).unwrap();
            admission.user.admin = admin;
            let mary = ActAsUser(Named::read("mary".into(), &rules()).unwrap());
            let Ok(permit) = permit(admission.user().actor(), mary) else {
                assert!(!may, "{admin:?}");
                continue;
            };
            let admission = impersonate(admission, permit);
            assert!(may, "{admin:?}");
            assert_eq!(admission.impersonator(), Some(&LoginId::without_company("john")));
            let (user, facts, _) = admission.into_parts();
            assert_eq!((user.login(), user.admin), ("mary", AdminLevel::None));
            assert!(user.groups.is_empty());
            assert_eq!(facts.principal, "John@EXAMPLE.TEST");
        }
    }
}
