//! Who may do what, and to whom: one table. Every verb that changes or shows
//! something takes a [`Permit`], and a permit is made only here.

use crate::config::section::ActAs;
use crate::wire::{AdminLevel, Denied, LoginId, Reason, User};

mod actions;
#[cfg(test)]
mod tests;

pub(super) use actions::{
    AccountOf, ActAsUser, AskWhoami, CountAttempts, EndAsBearer, EndSession, Ends, HearEvents,
    OpenByPassword, OpenByProof, OpenOwn, OpenTrusted, ProposeSecret, Resolve, SeeKeys, SeeSession,
    SeeSessions, VouchFor,
};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Actor<'a> {
    /// Everything, for everybody.
    System,
    /// A front: it proves who is there.
    Front,
    /// A service with its key: it vouches for those in its `act_as`.
    Service(&'a [ActAs]),
    /// A program of this host: it is its own account. `None`: its uid has no
    /// account, or `allow_local_users` is off.
    Program(Option<&'a str>),
    /// A person, by the level of an administrator. Until people come by a door of
    /// their own, it is who was admitted a moment ago and wants to be somebody else.
    Person { id: &'a LoginId, level: AdminLevel },
    /// Who comes by TLS without a certificate.
    Nobody,
}

/// What is done, and to whom.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action<'a> {
    /// A session for whom the actor has proven.
    OpenByProof,
    /// A session for whom the actor vouches.
    OpenTrusted,
    /// A session for whoever has the password.
    OpenByPassword,
    /// A session for the actor's own account.
    OpenOwn,
    /// To say without a proof that this is who is there.
    VouchFor(&'a LoginId),
    /// To be the account of this name.
    AccountOf(&'a str),
    /// To have the session of this user instead of one's own.
    ActAsUser(&'a LoginId),
    /// To choose the secret of a new session.
    ProposeSecret,
    /// To be believed about the addresses of clients: whoever is believed about
    /// users is believed about where they are.
    TellClients,
    /// Leave to have a password checked elsewhere.
    CountAttempts,
    /// Whose session a secret is for.
    Resolve,
    /// The end of a session whose secret the actor has.
    EndAsBearer,
    /// The end of this user's session, without its secret. `None`: there is no
    /// such session, which only those learn who may end everybody's.
    EndSession(Option<&'a LoginId>),
    /// To see this user's session. `None` as above.
    SeeSession(Option<&'a LoginId>),
    /// To see everybody's sessions.
    SeeSessions,
    /// To see the keys of peers.
    SeeKeys,
    /// To be told of ended sessions.
    HearEvents,
    /// As whom the core knows the actor.
    AskWhoami,
}

/// Leave to do one thing. A verb takes the permit of its own action, so leave for
/// one is no leave for another.
#[derive(Debug)]
#[must_use]
pub(super) struct Permit<A>(A);

impl<A> Permit<A> {
    /// What is permitted, with its object.
    pub(super) const fn action(&self) -> &A {
        &self.0
    }

    /// The same, used up.
    pub(super) fn into_action(self) -> A {
        self.0
    }
}

/// What a [`Permit`] can be asked for.
pub(super) trait Asked {
    /// Its row in the table.
    fn action(&self) -> Action<'_>;
}

/// Leave for an actor to do something.
///
/// # Errors
/// The table says no, and why.
pub(super) fn permit<A: Asked>(actor: Actor<'_>, asked: A) -> Result<Permit<A>, Denied> {
    let action = asked.action();
    if permits(actor, action) { Ok(Permit(asked)) } else { Err(action.denied()) }
}

/// The table. Who presents a session's secret proves to be its bearer, so
/// everybody who is somebody may resolve and end sessions; and a password is a
/// proof whoever brings it.
pub(super) fn permits(actor: Actor<'_>, action: Action<'_>) -> bool {
    use Action::{
        AccountOf, ActAsUser, AskWhoami, CountAttempts, EndAsBearer, EndSession, HearEvents,
        OpenByPassword, OpenByProof, OpenOwn, OpenTrusted, ProposeSecret, Resolve, SeeKeys,
        SeeSession, SeeSessions, TellClients, VouchFor,
    };
    match (actor, action) {
        (Actor::System, _) => true,
        (
            Actor::Person { id, level },
            ActAsUser(user) | SeeSession(Some(user)) | EndSession(Some(user)),
        ) => administers(id, level, user),
        (Actor::Person { .. }, _) => false,
        (_, AskWhoami | OpenByPassword) => true,
        (Actor::Nobody, _) => false,
        (_, Resolve | EndAsBearer) => true,
        (_, SeeSession(_) | SeeSessions | EndSession(_) | SeeKeys | ActAsUser(_)) => false,
        (Actor::Front, OpenByProof | ProposeSecret | TellClients | CountAttempts | HearEvents) => {
            true
        }
        (Actor::Front, OpenTrusted | VouchFor(_) | OpenOwn | AccountOf(_)) => false,
        (Actor::Service(_), OpenTrusted | TellClients) => true,
        (Actor::Service(act_as), VouchFor(other)) => {
            act_as.iter().any(|word| is_among(word, other))
        }
        (
            Actor::Service(_),
            OpenByProof | ProposeSecret | CountAttempts | OpenOwn | AccountOf(_) | HearEvents,
        ) => false,
        (Actor::Program(account), OpenOwn) => account.is_some(),
        (Actor::Program(account), AccountOf(name)) => account == Some(name),
        (
            Actor::Program(_),
            OpenByProof | ProposeSecret | TellClients | CountAttempts | OpenTrusted | VouchFor(_)
            | HearEvents,
        ) => false,
    }
}

/// Whether a person administers a user: administrators of the system do
/// everywhere, those of a company within it.
fn administers(id: &LoginId, level: AdminLevel, user: &LoginId) -> bool {
    match level {
        AdminLevel::None => false,
        AdminLevel::Company => id.company() == user.company(),
        AdminLevel::System => true,
    }
}

impl User {
    /// As whom a person acts.
    pub(super) const fn actor(&self) -> Actor<'_> {
        Actor::Person { id: &self.login_id, level: self.admin }
    }
}

/// Whether a word of `act_as` is about this user.
fn is_among(word: &ActAs, user: &LoginId) -> bool {
    match word {
        ActAs::System | ActAs::Anybody => true,
        ActAs::User(who) => who == user,
        ActAs::Company(company) => company == user.company(),
    }
}

impl Action<'_> {
    /// The words in the audit log and in the answer to who may not.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::OpenByProof => "open a session by proof",
            Self::OpenTrusted => "open a session for a trusted name",
            Self::OpenByPassword => "open a session by password",
            Self::OpenOwn | Self::AccountOf(_) => "open a session of its own",
            Self::VouchFor(_) => "vouch for this user",
            Self::ActAsUser(_) => "act as this user",
            Self::ProposeSecret => "propose the secret of a session",
            Self::TellClients => "tell the addresses of clients",
            Self::CountAttempts => "count attempts at passwords",
            Self::Resolve => "resolve a session",
            Self::EndAsBearer => "end a session",
            Self::EndSession(_) | Self::SeeSession(_) | Self::SeeSessions => {
                "see or end the sessions of others"
            }
            Self::SeeKeys => "see the keys of peers",
            Self::HearEvents => "hear events",
            Self::AskWhoami => "whoami",
        }
    }

    /// Why it is not done. About a user the reason says it all.
    pub(super) fn denied(self) -> Denied {
        match self {
            Self::VouchFor(_) => Reason::PublicKeyScope.into(),
            Self::ActAsUser(_) => Reason::NotAdministrator.into(),
            Self::AccountOf(_) => Reason::NotPermitted.into(),
            _ => Denied::new(Reason::NotPermitted, self.word()),
        }
    }
}
