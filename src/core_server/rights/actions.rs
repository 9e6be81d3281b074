//! What permits are for: one type an action, holding its object. The object that
//! was judged is the one that the verb acts on, as both are in the permit.

use std::sync::Arc;

use super::{Action, Asked};
use crate::identity::Named;
use crate::wire::{Ending, SessionKey, SessionSecret, User};

macro_rules! without_object {
    ($($action:ident)*) => {$(
        #[doc = concat!("[`Action::", stringify!($action), "`]")]
        #[derive(Debug)]
        pub(in crate::core_server) struct $action;

        impl Asked for $action {
            fn action(&self) -> Action<'_> {
                Action::$action
            }
        }
    )*};
}

without_object! {
    OpenByProof OpenTrusted OpenByPassword OpenOwn CountAttempts Resolve
    SeeSessions SeeKeys HearEvents AskWhoami
}

/// [`Action::VouchFor`]
#[derive(Debug)]
pub(in crate::core_server) struct VouchFor(pub(in crate::core_server) Named);

impl Asked for VouchFor {
    fn action(&self) -> Action<'_> {
        Action::VouchFor(self.0.login_id())
    }
}

/// [`Action::AccountOf`]
#[derive(Debug)]
pub(in crate::core_server) struct AccountOf(pub(in crate::core_server) Named);

impl Asked for AccountOf {
    fn action(&self) -> Action<'_> {
        Action::AccountOf(self.0.name())
    }
}

/// [`Action::ActAsUser`]
#[derive(Debug)]
pub(in crate::core_server) struct ActAsUser(pub(in crate::core_server) Named);

impl Asked for ActAsUser {
    fn action(&self) -> Action<'_> {
        Action::ActAsUser(self.0.login_id())
    }
}

/// [`Action::ProposeSecret`]: this one.
#[derive(Debug)]
pub(in crate::core_server) struct ProposeSecret(pub(in crate::core_server) SessionSecret);

impl Asked for ProposeSecret {
    fn action(&self) -> Action<'_> {
        Action::ProposeSecret
    }
}

/// [`Action::SeeSession`]: the session of this key.
#[derive(Debug)]
pub(in crate::core_server) struct SeeSession {
    pub(in crate::core_server) key: SessionKey,
    pub(in crate::core_server) owner: Option<Arc<User>>,
}

impl Asked for SeeSession {
    fn action(&self) -> Action<'_> {
        Action::SeeSession(self.owner.as_deref().map(|owner| &owner.login_id))
    }
}

/// [`Action::EndSession`]: the session of this key.
#[derive(Debug)]
pub(in crate::core_server) struct EndSession {
    pub(in crate::core_server) key: SessionKey,
    pub(in crate::core_server) owner: Option<Arc<User>>,
}

impl Asked for EndSession {
    fn action(&self) -> Action<'_> {
        Action::EndSession(self.owner.as_deref().map(|owner| &owner.login_id))
    }
}

/// [`Action::EndAsBearer`]: the session of this key, whose secret was shown; `None`:
/// what was shown can be no secret.
#[derive(Debug)]
pub(in crate::core_server) struct EndAsBearer(pub(in crate::core_server) Option<SessionKey>);

impl Asked for EndAsBearer {
    fn action(&self) -> Action<'_> {
        Action::EndAsBearer
    }
}

/// Actions that end a session.
pub(in crate::core_server) trait Ends {
    /// Why it ends, then.
    const WHY: Ending;
    /// Which one; `None`: none.
    fn key(&self) -> Option<SessionKey>;
}

impl Ends for EndSession {
    const WHY: Ending = Ending::Admin;

    fn key(&self) -> Option<SessionKey> {
        Some(self.key)
    }
}

impl Ends for EndAsBearer {
    const WHY: Ending = Ending::Logout;

    fn key(&self) -> Option<SessionKey> {
        self.0
    }
}
