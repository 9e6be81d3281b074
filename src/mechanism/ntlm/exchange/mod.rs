//! The exchange, without I/O: three messages on one connection (MS-NLMP 1.3.1.1),
//! bare or in SPNEGO.
//!
//! ```text
//! NEGOTIATE ─▶ Opening ─▶ ask for a challenge ─▶ Asked ─▶ CHALLENGE to the client
//!   AUTHENTICATE ─▶ version, channel ─▶ Verifying ─▶ ask winbind ─▶ integrity ─▶ proof
//! ```

use super::crypto::key::Integrity;
use super::crypto::sign;
use super::effect::{Answer, Context, Question, Verified};
use super::message::{Authenticate, Challenge, Kind, Malformed, Negotiate, kind};
use crate::config::checked::ChannelBinding;
use crate::mechanism::spnego::negotiation::{NegTokenResp, State, response};
use crate::mechanism::spnego::{NtlmFraming, begins_anew, is_ntlm};
use crate::mechanism::{self, Channel, Effect, Exchange, Outcome, Proof, Step, Terms};
use crate::wire::{self, Mechanism, Reason};
use judge::judge;

mod judge;

/// An exchange that is under way.
#[derive(Debug)]
pub(crate) enum InProgress {
    /// SPNEGO has chosen NTLM, and the client is to begin with it.
    Chosen {
        /// The terms of the exchange.
        terms: Terms,
        /// The list of mechanisms that both sides sign.
        list: Vec<u8>,
    },
    /// A challenge is asked for.
    Opening(Begun),
    /// The client has its challenge and is to answer it.
    Asked {
        /// What came before.
        begun: Begun,
        /// The challenge.
        challenge: Challenge,
        /// What the acceptor wants back.
        context: Context,
    },
    /// The answer is with winbind.
    Verifying {
        /// What came before.
        begun: Begun,
        /// The challenge.
        challenge: Challenge,
        /// The client's answer to it.
        authenticate: Authenticate,
        /// The client's signature over the list of mechanisms.
        signature: Option<Vec<u8>>,
        /// Whether the answer is bound to this TLS channel.
        channel_bound: bool,
    },
}

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
pub(in crate::mechanism) fn begin(terms: Terms, framing: NtlmFraming) -> (Exchange, Step) {
    match framing {
        NtlmFraming::Bare(message) => open(terms, Wrapping::Bare, message),
        NtlmFraming::Spnego { list, message: Some(message), .. } => {
            open(terms, Wrapping::Spnego { list, preferred: true }, message)
        }
        NtlmFraming::Spnego { list, message: None, .. } => {
            let token = response(State::Incomplete, true, None, None);
            (in_progress(InProgress::Chosen { terms, list }), ask(token))
        }
    }
}

fn open(terms: Terms, wrapping: Wrapping, message: Vec<u8>) -> (Exchange, Step) {
    if kind(&message) == Ok(Kind::Authenticate) {
        let detail = "the client answers a challenge that was not given on this connection: \
                      does a proxy spread one client over several connections?";
        return refuse(terms, Reason::ExchangeInterrupted, detail.to_owned());
    }
    if terms.channel_binding == ChannelBinding::Require && !matches!(terms.channel, Channel::Tls(_))
    {
        let detail = "channel_binding = \"require\", but there is no TLS channel to bind to";
        return refuse(terms, Reason::BindingMissing, detail.to_owned());
    }
    match Negotiate::parse(message) {
        Ok(negotiate) => {
            let effect = Effect::AskNtlm(Question::Challenge(negotiate.clone()));
            let begun = Begun { terms, wrapping, negotiate };
            (in_progress(InProgress::Opening(begun)), Step::Do(effect))
        }
        Err(malformed) => defective(terms, &malformed),
    }
}

impl InProgress {
    pub(in crate::mechanism) fn terms(&self) -> &Terms {
        match self {
            Self::Chosen { terms, .. } => terms,
            Self::Opening(begun) | Self::Asked { begun, .. } | Self::Verifying { begun, .. } => {
                &begun.terms
            }
        }
    }

    /// The client's next token.
    pub(in crate::mechanism) fn token(self, token: Vec<u8>) -> (Exchange, Step) {
        let bare =
            matches!(&self, Self::Asked { begun, .. } if matches!(begun.wrapping, Wrapping::Bare));
        let continues = bare && is_ntlm(&token) && kind(&token) == Ok(Kind::Authenticate);
        if !continues && begins_anew(&token) {
            return mechanism::begin(self.terms().clone(), token);
        }
        match self {
            Self::Chosen { terms, list } => {
                let message = match NegTokenResp::read(&token) {
                    Ok(NegTokenResp { token: Some(message), .. }) => message.to_vec(),
                    Ok(_) => return unreadable(terms, "its NTLM message is missing"),
                    Err(part) => return unreadable(terms, part),
                };
                open(terms, Wrapping::Spnego { list, preferred: false }, message)
            }
            Self::Asked { begun, challenge, context } => {
                let (message, signature) = match (&begun.wrapping, NegTokenResp::read(&token)) {
                    (Wrapping::Bare, _) => (token, None),
                    (_, Ok(NegTokenResp { token: Some(message), mic })) => {
                        (message.to_vec(), mic.map(<[u8]>::to_vec))
                    }
                    (_, Ok(_)) => return unreadable(begun.terms, "its NTLM message is missing"),
                    (_, Err(part)) => return unreadable(begun.terms, part),
                };
                answered(begun, challenge, context, message, signature)
            }
            Self::Opening(begun) | Self::Verifying { begun, .. } => {
                let detail = "a token came while the previous one was still being checked";
                refuse(begun.terms, Reason::ExchangeInterrupted, detail.to_owned())
            }
        }
    }

    /// What the acceptor says.
    pub(in crate::mechanism) fn answer(self, answer: Answer) -> (Exchange, Step) {
        match (self, answer) {
            (Self::Opening(begun), Answer::Challenge { challenge, context }) => {
                let step = ask(begun.wrapping.wrap_challenge(challenge.bytes()));
                let challenge = *challenge;
                (in_progress(Self::Asked { begun, challenge, context }), step)
            }
            (
                Self::Verifying { begun, challenge, authenticate, signature, channel_bound },
                Answer::Verified(verified),
            ) => {
                let checked = integrity(&begun, &challenge, &authenticate, signature, &verified);
                match checked {
                    Ok(reply) => proven(begun.terms, verified, channel_bound, reply),
                    Err((reason, detail)) => refuse(begun.terms, reason, detail),
                }
            }
            (Self::Verifying { begun, authenticate, .. }, Answer::Refused { reason, detail }) => {
                let detail = format!("{detail} (the client calls itself {})", claim(&authenticate));
                refuse(begun.terms, reason, detail)
            }
            (exchange, Answer::Refused { reason, detail }) => {
                refuse(exchange.terms().clone(), reason, detail)
            }
            (exchange, Answer::Challenge { .. } | Answer::Verified(_)) => {
                let detail = "an answer came without a question".to_owned();
                refuse(exchange.terms().clone(), Reason::ExchangeInterrupted, detail)
            }
        }
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
) -> (Exchange, Step) {
    let authenticate = match Authenticate::parse(message) {
        Ok(authenticate) => authenticate,
        Err(malformed) => return defective(begun.terms, &malformed),
    };
    let bound = match judge(&authenticate, &begun.terms) {
        Ok(bound) => bound,
        Err((reason, detail)) => return refuse(begun.terms, reason, detail),
    };
    let effect = Effect::AskNtlm(Question::Verify {
        context,
        challenge: challenge.server_challenge,
        authenticate: Box::new(authenticate.clone()),
    });
    let next =
        InProgress::Verifying { begun, challenge, authenticate, signature, channel_bound: bound };
    (in_progress(next), Step::Do(effect))
}

/// Checks with the session key that nothing was changed on its way, and that
/// the verdict is for this very exchange (MS-NLMP 3.1.5.1.2 and 3.2.5.1.2). Gives
/// the last token for the client.
fn integrity(
    begun: &Begun,
    challenge: &Challenge,
    authenticate: &Authenticate,
    signature: Option<Vec<u8>>,
    verified: &Verified,
) -> Result<Option<Vec<u8>>, (Reason, String)> {
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
    if !sign::verify_client(list, &signature, key, authenticate.flags) {
        return tampered("the signature of the list of mechanisms is wrong");
    }
    let own = sign::sign_server(list, key, authenticate.flags);
    Ok(Some(response(State::Completed, false, None, own.as_ref().map(<[u8; 16]>::as_slice))))
}

fn proven(
    terms: Terms,
    verified: Verified,
    channel_bound: bool,
    reply: Option<Vec<u8>>,
) -> (Exchange, Step) {
    let proof = Proof(wire::Proof {
        mechanism: Mechanism::Ntlm,
        principal: verified.principal,
        acceptor_realm: verified.own_domain,
        account: Some(Box::new(verified.account)),
        public_key: None,
        channel_bound,
        ends_at: None,
        groups: Vec::new(),
    });
    (Exchange::Fresh(terms), Step::Done(Outcome::Proven { proof, reply }))
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

fn in_progress(state: InProgress) -> Exchange {
    Exchange::Ntlm(Box::new(state))
}

fn ask(token: Vec<u8>) -> Step {
    Step::Ask(mechanism::Challenge { token })
}

fn refuse(terms: Terms, reason: Reason, detail: String) -> (Exchange, Step) {
    mechanism::refuse(terms, Mechanism::Ntlm, reason, detail)
}

fn defective(terms: Terms, malformed: &Malformed) -> (Exchange, Step) {
    refuse(terms, Reason::DefectiveToken, format!("the NTLM message is not readable: {malformed}"))
}

fn unreadable(terms: Terms, part: &str) -> (Exchange, Step) {
    refuse(terms, Reason::DefectiveToken, format!("the SPNEGO token is not readable: {part}"))
}

#[cfg(test)]
mod tests;
