//! The driver by tables: what is performed, in which order, and what comes of it.

use std::sync::Mutex;

use super::*;
use crate::config::section::ChannelBinding;
use crate::mechanism::ntlm::samples;
use crate::mechanism::{Channel, Scheme, Targets};
use crate::wire::Mechanism;

/// A NegTokenInit that offers Kerberos.
const KERBEROS: &[u8] =
    b"\x60\x1b\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x11\x30\x0f\xa0\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

/// Notes what it is asked to perform, and refuses all of it for this reason; but a
/// challenge is given where `challenges` says so.
struct Refuses {
    reason: Reason,
    challenges: bool,
    asked: Mutex<Vec<&'static str>>,
}

impl Refuses {
    fn note(&self, work: &'static str) -> Denied {
        self.asked.lock().unwrap().push(work);
        Denied::new(self.reason, "no")
    }
}

impl Perform for Refuses {
    async fn accept(&self, _: kerberos::Accept) -> kerberos::Answer {
        let Denied { reason, detail } = self.note("accept");
        kerberos::Answer::Refused { reason, detail, reply: Some(b"error".to_vec()) }
    }

    async fn challenge(&self, _: Negotiate) -> Result<Challenged, Denied> {
        let denied = self.note("challenge");
        if self.challenges {
            Ok(samples::challenged(&samples::plain().challenge))
        } else {
            Err(denied)
        }
    }

    async fn verify(&self, _: Question) -> Result<Verified, Denied> {
        Err(self.note("verify"))
    }
}

fn terms(scheme: Scheme) -> Terms {
    Terms {
        scheme,
        ntlm: true,
        channel_binding: ChannelBinding::Allow,
        channel: Channel::Plain,
        targets: Targets::Any,
    }
}

#[tokio::test]
async fn each_token_is_driven_to_the_clients_next_one_or_to_the_end() {
    let sample = samples::plain;
    type Case = (Scheme, Vec<Vec<u8>>, bool, &'static [&'static str], Mechanism, Reason);
    let cases: [Case; 6] = [
        (
            Scheme::Negotiate,
            vec![KERBEROS.to_vec()],
            true,
            &["accept"],
            Mechanism::Negotiate,
            Reason::ClockSkew,
        ),
        (
            Scheme::Ntlm,
            vec![sample().negotiate],
            false,
            &["challenge"],
            Mechanism::Ntlm,
            Reason::ClockSkew,
        ),
        (
            Scheme::Ntlm,
            vec![sample().negotiate, sample().authenticate],
            true,
            &["challenge", "verify"],
            Mechanism::Ntlm,
            Reason::ClockSkew,
        ),
        (
            Scheme::Ntlm,
            vec![sample().negotiate, b"NTLMSSP\0".to_vec()],
            true,
            &["challenge"],
            Mechanism::Ntlm,
            Reason::DefectiveToken,
        ),
        (
            Scheme::Ntlm,
            vec![sample().authenticate],
            true,
            &[],
            Mechanism::Ntlm,
            Reason::ExchangeInterrupted,
        ),
        (
            Scheme::Negotiate,
            vec![b"?".to_vec()],
            true,
            &[],
            Mechanism::Negotiate,
            Reason::DefectiveToken,
        ),
    ];
    for (number, (scheme, tokens, challenges, work, mechanism, reason)) in
        cases.into_iter().enumerate()
    {
        let by = Refuses { reason: Reason::ClockSkew, challenges, asked: Mutex::default() };
        let last = tokens.len() - 1;
        let mut unfinished = None;
        for (at, token) in tokens.into_iter().enumerate() {
            match drive(unfinished.take(), terms(scheme), token, &by).await {
                Progress::Open(exchange, challenge) => {
                    assert!(at < last, "{number}");
                    assert_eq!(exchange.mechanism(), mechanism);
                    assert_eq!(challenge.token, samples::plain().challenge);
                    unfinished = Some(exchange);
                }
                Progress::Done(Outcome::Refused(refused)) => {
                    assert_eq!(at, last, "{number}");
                    assert_eq!(
                        (refused.mechanism, refused.reason),
                        (mechanism, reason),
                        "{number}"
                    );
                    assert_eq!(refused.reply.is_some(), work == ["accept"], "{number}");
                }
                Progress::Done(Outcome::Proven { .. }) => panic!("{number}: nobody was verified"),
            }
        }
        assert_eq!(*by.asked.lock().unwrap(), work, "{number}");
    }
}
