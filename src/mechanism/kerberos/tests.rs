//! The exchange by tables: no KDC, no library.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::mechanism::Targets;
use crate::mechanism::exchange::{Exchange, Step};
use crate::wire::mechanism::Scheme;

/// A NegTokenInit that offers Kerberos.
const KERBEROS: &[u8] =
    b"\x60\x1b\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x11\x30\x0f\xa0\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// A NegTokenResp.
const LATER: &[u8] = b"\xa1\x02\x30\x00";
const NTLM: &[u8] = b"NTLMSSP\0\x01\0\0\0";

#[test]
fn a_kerberos_token_goes_to_the_library_with_the_bindings_that_the_policy_wants() {
    for (policy, tls, bound) in [
        (ChannelBinding::Off, true, false),
        (ChannelBinding::Off, false, false),
        (ChannelBinding::Allow, true, true),
        (ChannelBinding::Allow, false, true),
        (ChannelBinding::Require, true, true),
    ] {
        let step = begin(terms(policy, tls), KERBEROS);
        let Step::Accept(_, accept) = step else { panic!("{policy:?}: {step:?}") };
        assert_eq!(accept.token, KERBEROS);
        assert_eq!(accept.bindings.is_some(), bound, "{policy:?}, tls {tls}");
    }
}

#[test]
fn what_is_not_kerberos_never_reaches_the_library() {
    for (bytes, reason) in [
        (NTLM, Reason::NtlmSent),
        (LATER, Reason::ExchangeInterrupted),
        (b"\x60\x08\x06\x06\x2b\x06\x01\x05\x02\x05", Reason::WrongMechanism),
        (b"\x60\x01", Reason::DefectiveToken),
        (b"GET / HTTP/1.1", Reason::DefectiveToken),
        (b"", Reason::DefectiveToken),
    ] {
        assert_eq!(begin(allow(), bytes).refusal(), reason, "{}", bytes.escape_ascii());
    }
}

#[test]
fn plain_http_cannot_sign_on_where_a_binding_is_required() {
    let step = begin(terms(ChannelBinding::Require, false), KERBEROS);
    assert_eq!(step.refusal(), Reason::BindingMissing);
}

#[test]
fn an_unbound_context_is_proof_except_where_a_binding_is_required() {
    for (policy, bound, proven) in [
        (ChannelBinding::Off, false, true),
        (ChannelBinding::Allow, false, true),
        (ChannelBinding::Allow, true, true),
        (ChannelBinding::Require, false, false),
        (ChannelBinding::Require, true, true),
    ] {
        let facts = Established { channel_bound: bound, ..established() };
        match answer(accepting(terms(policy, true)), Answer::Established(facts)) {
            Step::Done(Outcome::Proven { proof, .. }) => {
                assert!(proven, "{policy:?}, bound {bound}");
                assert_eq!(proof.message().channel_bound, bound);
            }
            other => {
                assert!(!proven, "{policy:?}, bound {bound}");
                assert_eq!(other.refusal(), Reason::BindingMissing);
            }
        }
    }
}

#[test]
fn the_proof_says_what_the_context_said() {
    let step = answer(accepting(allow()), Answer::Established(established()));
    let Step::Done(Outcome::Proven { proof, reply }) = step else { panic!("{step:?}") };
    assert_eq!(
        proof.into_message(),
        wire::Proof {
            mechanism: Mechanism::Negotiate,
            principal: "john@EXAMPLE".to_owned(),
            acceptor_realm: Some("EXAMPLE".to_owned()),
            account: None,
            public_key: None,
            channel_bound: false,
            ends_at: Some(Timestamp::from_unix(1000)),
            groups: vec!["S-1-5-32-545".to_owned()],
        }
    );
    assert_eq!(reply.as_deref(), Some(&b"mutual"[..]));
}

#[test]
fn a_principal_that_is_not_text_is_refused_and_not_bent_into_text() {
    let facts = Established { principal: b"j\xffhn@EXAMPLE".to_vec(), ..established() };
    let step = answer(accepting(allow()), Answer::Established(facts));
    assert_eq!(step.refusal(), Reason::OddPrincipal);
}

#[test]
fn an_exchange_of_several_legs_asks_until_the_context_stands() {
    let (exchange, challenge) = more(accepting(allow()), b"one").asked();
    assert_eq!(challenge, b"one");
    let step = exchange.token(allow(), LATER.to_vec());
    let Step::Accept(accepting, accept) = step else { panic!("{step:?}") };
    assert_eq!(accept.token, LATER);
    assert!(answer(accepting, Answer::Established(established())).is_proven());
}

#[test]
fn an_exchange_without_end_is_ended() {
    let mut accepting = accepting(allow());
    for leg in 1..MAX_LEGS {
        let (exchange, _) = more(accepting, b"more").asked();
        let step = exchange.token(allow(), LATER.to_vec());
        let Step::Accept(next, _) = step else { panic!("leg {leg}: {step:?}") };
        accepting = next;
    }
    let (exchange, _) = more(accepting, b"more").asked();
    assert_eq!(exchange.token(allow(), LATER.to_vec()).refusal(), Reason::ExchangeTooLong);
}

#[test]
fn a_client_that_begins_anew_leaves_the_old_exchange_behind() {
    let asked = || more(accepting(allow()), b"one").asked().0;
    let step = asked().token(allow(), KERBEROS.to_vec());
    assert!(matches!(step, Step::Accept(Accepting { legs: 1, .. }, _)), "{step:?}");
    assert_eq!(asked().token(allow(), NTLM.to_vec()).refusal(), Reason::NtlmSent);
}

#[test]
fn a_refusal_keeps_its_words_and_the_token_for_the_client() {
    let refused = Answer::Refused {
        reason: Reason::ClockSkew,
        detail: "an hour".to_owned(),
        reply: Some(b"error".to_vec()),
    };
    let step = answer(accepting(allow()), refused);
    let Step::Done(Outcome::Refused(Refused { reason, detail, reply, .. })) = step else {
        panic!("{step:?}")
    };
    assert_eq!((reason, detail.as_str()), (Reason::ClockSkew, "an hour"));
    assert_eq!(reply.as_deref(), Some(&b"error"[..]));
}

#[test]
fn an_exchange_is_not_carried_to_other_terms() {
    let asked = || more(accepting(allow()), b"one").asked().0;
    let step = asked().token(allow(), LATER.to_vec());
    assert!(matches!(step, Step::Accept(..)), "{step:?}");
    let stricter = terms(ChannelBinding::Require, true);
    let step = asked().token(stricter, LATER.to_vec());
    assert_eq!(step.refusal(), Reason::ExchangeInterrupted);
}

#[test]
fn the_realm_stands_after_the_last_at_sign_that_is_not_quoted() {
    for (principal, expected) in [
        ("HTTP/web@EXAMPLE", Some("EXAMPLE")),
        (r"a\@b@EXAMPLE", Some("EXAMPLE")),
        (r"a\\@EXAMPLE", Some("EXAMPLE")),
        (r"a\@EXAMPLE", None),
        ("a@", None),
        ("a", None),
    ] {
        assert_eq!(realm(principal), expected, "{principal}");
    }
}

proptest! {
    #[test]
    fn nothing_but_an_established_context_is_proof(
        inputs in proptest::collection::vec((any_token(), any::<bool>()), 1..12)
    ) {
        let mut exchange: Option<Exchange> = None;
        for (bytes, continues) in inputs {
            let mut step = match exchange.take() {
                Some(exchange) => exchange.token(allow(), bytes.clone()),
                None => begin(allow(), &bytes),
            };
            if let Step::Accept(accepting, _) = step {
                step = if continues {
                    more(accepting, &bytes)
                } else {
                    answer(accepting, refused(Reason::ClockSkew))
                };
            }
            prop_assert!(!step.is_proven());
            if let Step::Ask(asked, _) = step {
                exchange = Some(asked);
            }
        }
    }
}

fn any_token() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(KERBEROS.to_vec()),
        Just(LATER.to_vec()),
        Just(NTLM.to_vec()),
        proptest::collection::vec(any::<u8>(), 0..64),
    ]
}

fn terms(channel_binding: ChannelBinding, tls: bool) -> Terms {
    let channel = if tls {
        Channel::Tls(Arc::new(Bindings::tls_server_end_point(&[7; 32])))
    } else {
        Channel::Plain
    };
    Terms {
        scheme: Scheme::Negotiate,
        ntlm: false,
        channel_binding,
        channel,
        targets: Targets::Any,
    }
}

fn allow() -> Terms {
    terms(ChannelBinding::Allow, true)
}

fn begin(terms: Terms, token: &[u8]) -> Step {
    Exchange::begin(terms, token.to_vec())
}

/// An exchange whose first token is at the library.
fn accepting(terms: Terms) -> Accepting {
    match begin(terms, KERBEROS) {
        Step::Accept(accepting, _) => accepting,
        other => panic!("{other:?}"),
    }
}

fn answer(accepting: Accepting, answer: Answer) -> Step {
    accepting.answer(answer).into()
}

fn more(accepting: Accepting, token: &[u8]) -> Step {
    answer(accepting, Answer::Continue { context: Context::fresh(), token: token.to_vec() })
}

fn refused(reason: Reason) -> Answer {
    Answer::Refused { reason, detail: String::new(), reply: None }
}

fn established() -> Established {
    Established {
        principal: b"john@EXAMPLE".to_vec(),
        acceptor_realm: Some("EXAMPLE".to_owned()),
        channel_bound: false,
        ends_at: Timestamp::from_unix(1000),
        account: None,
        groups: vec!["S-1-5-32-545".to_owned()],
        reply: Some(b"mutual".to_vec()),
    }
}
