//! The exchange by tables: no KDC, no library.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::mechanism::ntlm::Targets;
use crate::mechanism::{Bindings, Input, Scheme};

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
        let (_, step) = Exchange::new(terms(policy, tls)).advance(token(KERBEROS));
        let Step::Do(Effect::AcceptGss(accept)) = step else { panic!("{policy:?}: {step:?}") };
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
        let (next, step) = Exchange::new(allow()).advance(token(bytes));
        assert_eq!(refusal(step), reason, "{}", bytes.escape_ascii());
        assert!(matches!(next, Exchange::Fresh(_)));
    }
}

#[test]
fn plain_http_cannot_sign_on_where_a_binding_is_required() {
    let (_, step) = Exchange::new(terms(ChannelBinding::Require, false)).advance(token(KERBEROS));
    assert_eq!(refusal(step), Reason::BindingMissing);
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
        let (_, step) = accepting(terms(policy, true)).advance(answer(Answer::Established(facts)));
        match step {
            Step::Done(Outcome::Proven { proof, .. }) => {
                assert!(proven, "{policy:?}, bound {bound}");
                assert_eq!(proof.message().channel_bound, bound);
            }
            other => {
                assert!(!proven, "{policy:?}, bound {bound}");
                assert_eq!(refusal(other), Reason::BindingMissing);
            }
        }
    }
}

#[test]
fn the_proof_says_what_the_context_said() {
    let step = accepting(allow()).advance(answer(Answer::Established(established()))).1;
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
    let (_, step) = accepting(allow()).advance(answer(Answer::Established(facts)));
    assert_eq!(refusal(step), Reason::OddPrincipal);
}

#[test]
fn an_exchange_of_several_legs_asks_until_the_context_stands() {
    let (exchange, step) = accepting(allow()).advance(more(b"one"));
    assert!(matches!(step, Step::Ask(Challenge { token }) if token == b"one"));
    let (exchange, step) = exchange.advance(token(LATER));
    assert!(matches!(step, Step::Do(Effect::AcceptGss(accept)) if accept.token == LATER));
    let (exchange, step) = exchange.advance(answer(Answer::Established(established())));
    assert!(matches!(step, Step::Done(Outcome::Proven { .. })));
    assert!(matches!(exchange, Exchange::Fresh(_)));
}

#[test]
fn an_exchange_without_end_is_ended() {
    let mut exchange = accepting(allow());
    for leg in 1..MAX_LEGS {
        exchange = exchange.advance(more(b"more")).0;
        let (next, step) = exchange.advance(token(LATER));
        assert!(matches!(step, Step::Do(_)), "leg {leg}: {step:?}");
        exchange = next;
    }
    exchange = exchange.advance(more(b"more")).0;
    assert_eq!(refusal(exchange.advance(token(LATER)).1), Reason::ExchangeTooLong);
}

#[test]
fn a_client_that_begins_anew_leaves_the_old_exchange_behind() {
    let asked = || accepting(allow()).advance(more(b"one")).0;
    let (exchange, step) = asked().advance(token(KERBEROS));
    assert!(matches!(step, Step::Do(_)));
    assert!(matches!(exchange, Exchange::Kerberos(InProgress::Accepting { legs: 1, .. })));
    assert_eq!(refusal(asked().advance(token(NTLM)).1), Reason::NtlmSent);
}

#[test]
fn what_comes_out_of_turn_ends_the_exchange() {
    let proof = || answer(Answer::Established(established()));
    let fresh = Exchange::new(allow());
    assert_eq!(refusal(fresh.advance(proof()).1), Reason::ExchangeInterrupted);
    let asked = accepting(allow()).advance(more(b"one")).0;
    assert_eq!(refusal(asked.advance(proof()).1), Reason::ExchangeInterrupted);
    assert_eq!(refusal(accepting(allow()).advance(token(LATER)).1), Reason::ExchangeInterrupted);
}

#[test]
fn a_refusal_keeps_its_words_and_the_token_for_the_client() {
    let refused = Answer::Refused {
        reason: Reason::ClockSkew,
        detail: "an hour".to_owned(),
        reply: Some(b"error".to_vec()),
    };
    let (_, step) = accepting(allow()).advance(answer(refused));
    let Step::Done(Outcome::Refused(Refused { reason, detail, reply, .. })) = step else {
        panic!("{step:?}")
    };
    assert_eq!((reason, detail.as_str()), (Reason::ClockSkew, "an hour"));
    assert_eq!(reply.as_deref(), Some(&b"error"[..]));
}

#[test]
fn an_exchange_is_not_carried_to_other_terms() {
    let asked = || accepting(allow()).advance(more(b"one")).0;
    assert!(matches!(asked().under(allow()), Exchange::Kerberos(_)));
    let stricter = terms(ChannelBinding::Require, true);
    let exchange = asked().under(stricter.clone());
    assert!(matches!(&exchange, Exchange::Fresh(terms) if *terms == stricter));
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
        let mut exchange = Exchange::new(allow());
        for (bytes, continues) in inputs {
            let input = if continues { more(&bytes) } else { Input::Token(bytes) };
            let (next, step) = exchange.advance(input);
            let proven = matches!(step, Step::Done(Outcome::Proven { .. }));
            prop_assert!(!proven);
            exchange = next;
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

/// An exchange whose first token is at the library.
fn accepting(terms: Terms) -> Exchange {
    Exchange::new(terms).advance(token(KERBEROS)).0
}

fn token(bytes: &[u8]) -> Input {
    Input::Token(bytes.to_vec())
}

fn answer(answer: Answer) -> Input {
    Input::Gss(answer)
}

fn more(token: &[u8]) -> Input {
    answer(Answer::Continue { context: Context::fresh(), token: token.to_vec() })
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

fn refusal(step: Step) -> Reason {
    match step {
        Step::Done(Outcome::Refused(Refused { reason, reply: None, .. })) => reason,
        other => panic!("no refusal of our own: {other:?}"),
    }
}
