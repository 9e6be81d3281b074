//! The exchange, without I/O: three messages on one connection (MS-NLMP 1.3.1.1),
//! bare or in SPNEGO.
//!
//! ```text
//! NEGOTIATE ─▶ Opening ─▶ ask for a challenge ─▶ Asked ─▶ CHALLENGE to the client
//!   AUTHENTICATE ─▶ version, channel ─▶ Verifying ─▶ ask winbind ─▶ integrity ─▶ proof
//! ```

use super::crypto::key::Integrity;
use super::crypto::sign;
use super::effect::{Challenged, Context, Question, Verified};
use super::message::{Authenticate, Challenge, Kind, Malformed, Negotiate, kind};
use crate::config::section::ChannelBinding;
use crate::mechanism::outcome::{self, Outcome, Proof};
use crate::mechanism::spnego::negotiation::{NegTokenResp, State, response};
use crate::mechanism::spnego::{NtlmFraming, begins_anew, is_ntlm};
use crate::mechanism::terms::{Channel, Terms};
use crate::wire::{self, Denied, Mechanism, Reason};
use judge::judge;

mod judge;

/// The client is to send its next message.
#[derive(Debug)]
pub(crate) enum Asked {
    /// SPNEGO has chosen NTLM, and the client is to begin with it.
    ToBegin {
        terms: Terms,
        /// The list of mechanisms that both sides sign.
        list: Vec<u8>,
    },
    /// The client has its challenge and is to answer it.
    ToAnswer(Box<AnswerDue>),
}

/// What is kept while the client answers its challenge.
#[derive(Debug)]
pub(crate) struct AnswerDue {
    begun: Begun,
    challenge: Challenge,
    /// What the acceptor wants back.
    context: Context,
}

/// A challenge is asked for.
#[derive(Debug)]
pub(crate) struct Opening(Begun);

/// The client's answer is with winbind.
#[derive(Debug)]
pub(crate) struct Verifying {
    begun: Begun,
    challenge: Challenge,
    authenticate: Authenticate,
    /// The client's signature over the list of mechanisms.
    signature: Option<Vec<u8>>,
    /// Whether the answer is bound to this TLS channel.
    channel_bound: bool,
}

/// What is asked, and the state that waits for the answer.
#[derive(Debug)]
pub(in crate::mechanism) enum Work {
    Challenge(Box<Opening>, Negotiate),
    Verify(Box<Verifying>, Question),
}

pub(in crate::mechanism) type Turn = outcome::Turn<Work, Asked>;

/// What is known after the client's first message.
#[derive(Debug)]
pub(crate) struct Begun {
    terms: Terms,
    wrapping: Wrapping,
    negotiate: Negotiate,
}

/// What the messages travel in.
#[derive(Debug)]
enum Wrapping {
    Bare,
    Spnego {
        list: Vec<u8>,
        /// Whether the client put NTLM first: otherwise the choice was ours, and
        /// both sides must sign the list (RFC 4178 section 5).
        preferred: bool,
    },
}

/// The first message of a client, which chose NTLM by it.
pub(in crate::mechanism) fn begin(terms: Terms, framing: NtlmFraming) -> Turn {
    match framing {
        NtlmFraming::Bare(message) => open(terms, Wrapping::Bare, message),
        NtlmFraming::Spnego { list, message: Some(message), .. } => {
            open(terms, Wrapping::Spnego { list, preferred: true }, message)
        }
        NtlmFraming::Spnego { list, message: None, .. } => {
            let token = response(State::Incomplete, true, None, None);
            ask(Asked::ToBegin { terms, list }, token)
        }
    }
}

fn open(terms: Terms, wrapping: Wrapping, message: Vec<u8>) -> Turn {
    if kind(&message) == Ok(Kind::Authenticate) {
        let detail = "the client answers a challenge that was not given on this connection: \
                      does a proxy spread one client over several connections?";
        return refuse(Reason::ExchangeInterrupted, detail.to_owned());
    }
    if terms.channel_binding == ChannelBinding::Require && !matches!(terms.channel, Channel::Tls(_))
    {
        let detail = "channel_binding = \"require\", but there is no TLS channel to bind to";
        return refuse(Reason::BindingMissing, detail.to_owned());
    }
    match Negotiate::parse(message) {
        Ok(negotiate) => {
            let begun = Begun { terms, wrapping, negotiate: negotiate.clone() };
            Turn::Do(Work::Challenge(Box::new(Opening(begun)), negotiate))
        }
        Err(malformed) => defective(&malformed),
    }
}

impl Asked {
    pub(in crate::mechanism) fn terms(&self) -> &Terms {
        match self {
            Self::ToBegin { terms, .. } => terms,
            Self::ToAnswer(due) => &due.begun.terms,
        }
    }

    /// The client's next token.
    pub(in crate::mechanism) fn token(self, token: Vec<u8>) -> Turn {
        if begins_anew(&token) && !self.is_continued_by(&token) {
            return Turn::Anew(self.terms().clone(), token);
        }
        match self {
            Self::ToBegin { terms, list } => {
                let message = match NegTokenResp::read(&token) {
                    Ok(NegTokenResp { token: Some(message), .. }) => message.to_vec(),
                    Ok(_) => return unreadable("its NTLM message is missing"),
                    Err(part) => return unreadable(part),
                };
                open(terms, Wrapping::Spnego { list, preferred: false }, message)
            }
            Self::ToAnswer(due) => {
                let AnswerDue { begun, challenge, context } = *due;
                let (message, signature) = match (&begun.wrapping, NegTokenResp::read(&token)) {
                    (Wrapping::Bare, _) => (token, None),
                    (_, Ok(NegTokenResp { token: Some(message), mic })) => {
                        (message.to_vec(), mic.map(<[u8]>::to_vec))
                    }
                    (_, Ok(_)) => return unreadable("its NTLM message is missing"),
                    (_, Err(part)) => return unreadable(part),
                };
                answered(begun, challenge, context, message, signature)
            }
        }
    }

    /// Whether a token that looks like a beginning is the answer that is due: bare
    /// messages all begin alike.
    fn is_continued_by(&self, token: &[u8]) -> bool {
        let bare =
            matches!(self, Self::ToAnswer(due) if matches!(due.begun.wrapping, Wrapping::Bare));
        bare && is_ntlm(token) && kind(token) == Ok(Kind::Authenticate)
    }
}

impl Opening {
    /// The challenge that was asked for.
    pub(in crate::mechanism) fn answer(self, challenged: Result<Challenged, Denied>) -> Turn {
        let Self(begun) = self;
        match challenged {
            Ok(Challenged { challenge, context }) => {
                let token = begun.wrapping.wrap_challenge(challenge.bytes());
                let due = AnswerDue { begun, challenge: *challenge, context };
                ask(Asked::ToAnswer(Box::new(due)), token)
            }
            Err(Denied { reason, detail }) => refuse(reason, detail),
        }
    }
}

impl Verifying {
    /// What winbind says of the client's answer.
    pub(in crate::mechanism) fn answer(self, verified: Result<Verified, Denied>) -> Turn {
        let checked = match verified {
            Ok(verified) => self.integrity(&verified).map(|reply| (verified, reply)),
            Err(Denied { reason, detail }) => {
                let who = claim(&self.authenticate);
                Err((reason, format!("{detail} (the client calls itself {who})")))
            }
        };
        match checked {
            Ok((verified, reply)) => proven(verified, self.channel_bound, reply),
            Err((reason, detail)) => refuse(reason, detail),
        }
    }

    /// Checks with the session key that nothing was changed on its way, and that
    /// the verdict is for this very exchange (MS-NLMP 3.1.5.1.2 and 3.2.5.1.2). Gives
    /// the last token for the client.
    fn integrity(&self, verified: &Verified) -> Result<Option<Vec<u8>>, (Reason, String)> {
        let Self { begun, challenge, authenticate, signature, .. } = self;
        let tampered = |detail: &str| Err((Reason::NtlmTampered, detail.to_owned()));
        let no_key = || {
            let detail = "the helper gave no session key, so the exchange cannot be checked";
            (Reason::NtlmHelperFailed, detail.to_owned())
        };
        if authenticate.mic().is_some() {
            let key = verified.session_key.as_ref().ok_or_else(no_key)?;
            let (negotiate, challenge) = (begun.negotiate.bytes(), challenge.bytes());
            if key.integrity(negotiate, challenge, authenticate) != Integrity::Proven {
                return tampered("the message integrity code does not fit the three messages");
            }
        }
        let Wrapping::Spnego { list, preferred } = &begun.wrapping else { return Ok(None) };
        let Some(signature) = signature else {
            return if *preferred {
                Ok(Some(response(State::Completed, false, None, None)))
            } else {
                tampered("the list of mechanisms is not signed, though NTLM was not its first")
            };
        };
        let key = verified.session_key.as_ref().ok_or_else(no_key)?;
        if !sign::verify_client(list, signature, key, authenticate.flags) {
            return tampered("the signature of the list of mechanisms is wrong");
        }
        let own = sign::sign_server(list, key, authenticate.flags);
        Ok(Some(response(State::Completed, false, None, own.as_ref().map(<[u8; 16]>::as_slice))))
    }
}

/// The name that a client gives itself. Whoever looks for guessed passwords in the
/// audit log has no other.
fn claim(authenticate: &Authenticate) -> String {
    match (authenticate.domain.as_str(), &authenticate.user) {
        ("", user) => user.clone(),
        (domain, user) => format!("{domain}\\{user}"),
    }
}

/// The client's answer to its challenge: everything that can be judged without
/// knowing the password.
fn answered(
    begun: Begun,
    challenge: Challenge,
    context: Context,
    message: Vec<u8>,
    signature: Option<Vec<u8>>,
) -> Turn {
    let authenticate = match Authenticate::parse(message) {
        Ok(authenticate) => authenticate,
        Err(malformed) => return defective(&malformed),
    };
    let channel_bound = match judge(&authenticate, &begun.terms) {
        Ok(bound) => bound,
        Err((reason, detail)) => return refuse(reason, detail),
    };
    let question = Question {
        context,
        challenge: challenge.server_challenge,
        authenticate: Box::new(authenticate.clone()),
    };
    let next = Verifying { begun, challenge, authenticate, signature, channel_bound };
    Turn::Do(Work::Verify(Box::new(next), question))
}

fn proven(verified: Verified, channel_bound: bool, reply: Option<Vec<u8>>) -> Turn {
    let proof = Proof::new(wire::Proof {
        mechanism: Mechanism::Ntlm,
        principal: verified.principal,
        acceptor_realm: verified.own_domain,
        account: Some(Box::new(verified.account)),
        public_key: None,
        channel_bound,
        ends_at: None,
        groups: Vec::new(),
    });
    Turn::Done(Outcome::Proven { proof, reply })
}

impl Wrapping {
    fn wrap_challenge(&self, challenge: &[u8]) -> Vec<u8> {
        match self {
            Self::Bare => challenge.to_vec(),
            Self::Spnego { preferred, .. } => {
                response(State::Incomplete, *preferred, Some(challenge), None)
            }
        }
    }
}

fn ask(asked: Asked, token: Vec<u8>) -> Turn {
    Turn::Ask(asked, outcome::Challenge { token })
}

fn refuse(reason: Reason, detail: String) -> Turn {
    Turn::Done(Outcome::refused(Mechanism::Ntlm, reason, detail))
}

fn defective(malformed: &Malformed) -> Turn {
    refuse(Reason::DefectiveToken, format!("the NTLM message is not readable: {malformed}"))
}

fn unreadable(part: &str) -> Turn {
    refuse(Reason::DefectiveToken, format!("the SPNEGO token is not readable: {part}"))
}

#[cfg(test)]
mod tests;
