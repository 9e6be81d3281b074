//! The exchange by tables and recorded messages: no helper, no winbind.

use std::sync::Arc;

use asn1_rs::{Oid, oid};
use aws_lc_rs::digest;
use proptest::prelude::*;

use super::judge::judge_binding;
use super::*;
use crate::mechanism::exchange::{Exchange, Step};
use crate::mechanism::ntlm::crypto::key::{ExportedKey, channel_binding_hash};
use crate::mechanism::ntlm::message::av_pair::ChannelBinding as Bound;
use crate::mechanism::ntlm::samples;
use crate::mechanism::spnego::negotiation::init;
use crate::mechanism::{Bindings, OwnHosts, Refused, Scheme, Targets};

const NTLM: Oid<'static> = oid!(1.3.6.1.4.1.311.2.2.10);
const NEGOEX: Oid<'static> = oid!(1.3.6.1.4.1.311.2.2.30);

#[test]
fn three_messages_and_the_domains_word_are_a_proof() {
    for scheme in [Scheme::Ntlm, Scheme::Negotiate] {
        let sample = samples::plain();
        let terms = Terms { scheme, ..terms() };
        let (exchange, challenge) = asked(&sample, terms.clone());
        assert_eq!(challenge, sample.challenge);
        let (verifying, question) = answer(exchange, terms, &sample.authenticate);
        assert_eq!(question.challenge, sample.challenge[24..32]);
        assert_eq!(question.authenticate.user, "jürgen");
        let step = Step::from(verifying.answer(verified(&sample)));
        let Step::Done(Outcome::Proven { proof, reply }) = step else { panic!("{step:?}") };
        assert_eq!(
            proof.into_message(),
            wire::Proof {
                mechanism: Mechanism::Ntlm,
                principal: "LAB\\jo".to_owned(),
                acceptor_realm: Some("LAB".to_owned()),
                account: Some(Box::new(account())),
                public_key: None,
                channel_bound: false,
                ends_at: None,
                groups: Vec::new(),
            }
        );
        assert_eq!(reply, None);
    }
}

#[test]
fn nothing_is_asked_of_winbind_for_an_answer_to_another_service() {
    // The recorded answer is made for HTTP/web.lab.example.
    let ours = |host: &str| {
        let own = OwnHosts::new([host.to_owned()], Vec::new());
        Targets::Ours { own: Arc::new(own), local: None }
    };
    for (targets, taken) in
        [(ours("web.lab.example"), true), (ours("other.lab.example"), false), (Targets::Any, true)]
    {
        let terms = Terms { targets, ..bound_to_us(ChannelBinding::Allow) };
        let sample = samples::bound();
        let (exchange, _) = asked(&sample, terms.clone());
        let step = exchange.token(terms, sample.authenticate.clone());
        if taken {
            assert!(matches!(step, Step::Verify(..)), "{step:?}");
        } else {
            assert_eq!(step.refusal(), Reason::NtlmTarget);
        }
    }
}

#[test]
fn nothing_is_asked_of_winbind_for_what_is_not_ntlm_of_version_2() {
    for (message, reason) in [
        (samples::bytes(samples::CURL_NEGOTIATE)[..12].to_vec(), Reason::DefectiveToken),
        (samples::plain().challenge, Reason::DefectiveToken),
        (samples::plain().authenticate, Reason::ExchangeInterrupted),
    ] {
        let step = Exchange::begin(terms(), message.clone());
        assert_eq!(step.refusal(), reason, "{}", message.escape_ascii());
    }
    let short = samples::plain().authenticate[..80].to_vec();
    let (exchange, _) = asked(&samples::plain(), terms());
    assert_eq!(exchange.token(terms(), short).refusal(), Reason::DefectiveToken);
}

#[test]
fn a_response_that_is_weak_or_nobodys_is_never_put_to_winbind() {
    const LM: usize = 12;
    const NT: usize = 20;
    const USER: usize = 36;
    for (shortened, reason) in [
        (&[(NT, 0)][..], Reason::NtlmTooOld),
        (&[(NT, 24)], Reason::NtlmTooOld),
        (&[(NT, 44)], Reason::NtlmTooOld),
        (&[(NT, 0), (LM, 0)], Reason::NtlmAnonymous),
        (&[(USER, 0)], Reason::NtlmAnonymous),
    ] {
        let sample = samples::curl();
        let mut message = sample.authenticate.clone();
        for (field, length) in shortened {
            message[*field..field + 2].copy_from_slice(&u16::to_le_bytes(*length));
        }
        let (exchange, _) = asked(&sample, terms());
        assert_eq!(exchange.token(terms(), message).refusal(), reason, "{shortened:?}");
    }
}

#[test]
fn a_message_that_was_changed_on_its_way_is_refused_though_the_password_is_right() {
    let whole = samples::bound();
    let mut changed = Vec::new();
    for place in [14, 30] {
        let mut sample = whole.clone();
        sample.negotiate[place] ^= 1;
        changed.push(sample);
    }
    // Reserved bytes and the version: nothing that is read anywhere else.
    let mut sample = whole.clone();
    sample.challenge[33] ^= 1;
    changed.push(sample);
    let mut sample = whole.clone();
    sample.authenticate[65] ^= 1;
    changed.push(sample);
    for (number, sample) in changed.into_iter().enumerate() {
        let step = run(&sample, bound_to_us(ChannelBinding::Allow), verified(&sample));
        assert_eq!(step.refusal(), Reason::NtlmTampered, "{number}");
    }
    assert!(run(&whole, bound_to_us(ChannelBinding::Allow), verified(&whole)).is_proven());
}

#[test]
fn a_verdict_about_another_exchange_does_not_count() {
    let (sample, other) = (samples::bound(), samples::plain());
    let step = run(&sample, bound_to_us(ChannelBinding::Allow), verified(&other));
    assert_eq!(step.refusal(), Reason::NtlmTampered);
    let step = run(&sample, bound_to_us(ChannelBinding::Allow), verdict(None));
    assert_eq!(step.refusal(), Reason::NtlmHelperFailed);
}

#[test]
fn a_binding_is_judged_by_the_policy_and_the_channel() {
    let own = Bound::Hash(channel_binding_hash(&bindings()));
    let other = Bound::Hash([7; 16]);
    let (mismatch, missing) = (Err(Reason::BindingMismatch), Err(Reason::BindingMissing));
    for (bound, on_tls, on_plain, proxied, required) in [
        (own, Ok(true), mismatch, Ok(false), Ok(true)),
        (other, mismatch, mismatch, Ok(false), mismatch),
        (Bound::Zero, mismatch, Ok(false), Ok(false), mismatch),
        (Bound::Absent, Ok(false), Ok(false), Ok(false), missing),
    ] {
        let judge = |policy, channel| {
            judge_binding(bound, &Terms { channel_binding: policy, channel, ..terms() })
                .map_err(|(reason, _)| reason)
        };
        let tls = || Channel::Tls(Arc::new(bindings()));
        assert_eq!(judge(ChannelBinding::Allow, tls()), on_tls, "{bound:?}");
        assert_eq!(judge(ChannelBinding::Allow, Channel::Plain), on_plain, "{bound:?}");
        assert_eq!(judge(ChannelBinding::Allow, Channel::Proxied), proxied, "{bound:?}");
        assert_eq!(judge(ChannelBinding::Require, tls()), required, "{bound:?}");
        assert_eq!(judge(ChannelBinding::Off, tls()), Ok(false), "{bound:?}");
    }
}

#[test]
fn the_answers_own_binding_is_what_is_judged() {
    let sample = samples::bound();
    let answer = || verified(&sample);
    let step = run(&sample, bound_to_us(ChannelBinding::Require), answer());
    let Step::Done(Outcome::Proven { proof, .. }) = step else { panic!("{step:?}") };
    assert!(proof.message().channel_bound);
    let elsewhere = Bindings::tls_server_end_point(b"another certificate");
    let relayed = Terms { channel: Channel::Tls(Arc::new(elsewhere)), ..terms() };
    let (exchange, _) = asked(&sample, relayed.clone());
    let step = exchange.token(relayed, sample.authenticate.clone());
    assert_eq!(step.refusal(), Reason::BindingMismatch);
}

#[test]
fn without_a_channel_nobody_is_challenged_where_a_binding_is_required() {
    for channel in [Channel::Plain, Channel::Proxied] {
        let terms = Terms { channel_binding: ChannelBinding::Require, channel, ..terms() };
        let step = Exchange::begin(terms, samples::plain().negotiate);
        assert_eq!(step.refusal(), Reason::BindingMissing);
    }
}

#[test]
fn a_client_may_begin_anew_at_any_time() {
    let sample = samples::plain();
    let (exchange, _) = asked(&sample, terms());
    let step = exchange.token(terms(), sample.negotiate.clone());
    assert!(matches!(step, Step::Challenge(..)), "{step:?}");
}

#[test]
fn an_exchange_is_not_finished_under_another_scheme() {
    let (exchange, _) = asked(&samples::plain(), terms());
    let other = Terms { scheme: Scheme::Negotiate, ..terms() };
    let step = exchange.token(other, samples::plain().authenticate);
    assert_eq!(step.refusal(), Reason::ExchangeInterrupted);
}

#[test]
fn a_refusal_keeps_its_reason_and_its_words_and_names_who_it_was() {
    let locked = Denied::new(Reason::LogonFailed, "locked");
    let step = run(&samples::plain(), terms(), Err(locked));
    let Step::Done(Outcome::Refused(Refused { mechanism, reason, detail, .. })) = step else {
        panic!("{step:?}");
    };
    assert_eq!((mechanism, reason), (Mechanism::Ntlm, Reason::LogonFailed));
    assert!(detail.starts_with("locked (the client calls itself "), "{detail}");
}

#[test]
fn in_spnego_every_message_is_wrapped_and_the_list_is_signed_by_both() {
    let sample = samples::bound();
    let (key, flags, list) = signing(&sample);
    for (mechanisms, preferred) in [(vec![NTLM], true), (vec![NEGOEX, NTLM], false)] {
        let list = if preferred { list.clone() } else { list_of(&mechanisms) };
        let exchange = spnego_asked(&sample, &mechanisms, preferred);
        let signature = sign::sign_client(&list, &key, flags).unwrap();
        let token =
            response(State::Incomplete, false, Some(&sample.authenticate), Some(&signature));
        let (verifying, _) = answer(exchange, in_spnego(), &token);
        let step = Step::from(verifying.answer(verified(&sample)));
        let Step::Done(Outcome::Proven { reply, .. }) = step else { panic!("{step:?}") };
        let reply = reply.unwrap();
        let own = sign::sign_server(&list, &key, flags).unwrap();
        assert_eq!(NegTokenResp::read(&reply).unwrap().mic, Some(&own[..]));
    }
}

#[test]
fn a_wrong_signature_is_refused_and_so_is_a_missing_one_where_the_choice_was_ours() {
    let sample = samples::bound();
    let wrong = [9; 16];
    for (mechanisms, preferred, signature, taken) in [
        (vec![NTLM], true, Some(&wrong[..]), false),
        (vec![NTLM], true, None, true),
        (vec![NEGOEX, NTLM], false, Some(&wrong[..]), false),
        (vec![NEGOEX, NTLM], false, None, false),
    ] {
        let exchange = spnego_asked(&sample, &mechanisms, preferred);
        let token = response(State::Incomplete, false, Some(&sample.authenticate), signature);
        let (verifying, _) = answer(exchange, in_spnego(), &token);
        let step = Step::from(verifying.answer(verified(&sample)));
        if taken {
            assert!(step.is_proven(), "{step:?}");
        } else {
            assert_eq!(step.refusal(), Reason::NtlmTampered, "{mechanisms:?} {signature:?}");
        }
    }
}

#[test]
fn what_began_in_spnego_goes_on_in_it() {
    let sample = samples::bound();
    let bare = spnego_asked(&sample, &[NTLM], true);
    let step = bare.token(in_spnego(), sample.authenticate.clone());
    assert_eq!(step.refusal(), Reason::ExchangeInterrupted);
    for token in [response(State::Incomplete, false, None, None), b"\xa1\x02\x30\x00\x00".to_vec()]
    {
        let step = spnego_asked(&sample, &[NTLM], true).token(in_spnego(), token);
        assert_eq!(step.refusal(), Reason::DefectiveToken);
    }
}

proptest! {
    #[test]
    fn no_tokens_are_a_proof_without_a_verdict(
        tokens in proptest::collection::vec(any_token(), 1..10)
    ) {
        let mut exchange: Option<Exchange> = None;
        for token in tokens {
            let mut step = match exchange.take() {
                Some(exchange) => exchange.token(terms(), token),
                None => Exchange::begin(terms(), token),
            };
            if let Step::Challenge(opening, _) = step {
                step = opening.answer(challenged(&samples::plain())).into();
            }
            prop_assert!(!step.is_proven());
            if let Step::Ask(asked, _) = step {
                exchange = Some(asked);
            }
        }
    }
}

fn any_token() -> impl Strategy<Value = Vec<u8>> {
    let sample = samples::plain();
    prop_oneof![
        Just(sample.negotiate.clone()),
        Just(sample.authenticate.clone()),
        Just(init(&[NTLM], Some(&sample.negotiate))),
        Just(init(&[NEGOEX, NTLM], None)),
        Just(response(State::Incomplete, false, Some(&sample.authenticate), None)),
        proptest::collection::vec(any::<u8>(), 0..64),
    ]
}

fn terms() -> Terms {
    Terms {
        scheme: Scheme::Ntlm,
        ntlm: true,
        channel_binding: ChannelBinding::Allow,
        channel: Channel::Plain,
        targets: Targets::Any,
    }
}

fn bindings() -> Bindings {
    let certificate = digest::digest(&digest::SHA256, b"a certificate");
    Bindings::tls_server_end_point(certificate.as_ref())
}

/// The channel that the recorded answer is bound to.
fn bound_to_us(channel_binding: ChannelBinding) -> Terms {
    Terms { channel_binding, channel: Channel::Tls(Arc::new(bindings())), ..terms() }
}

fn in_spnego() -> Terms {
    Terms { scheme: Scheme::Negotiate, ..bound_to_us(ChannelBinding::Allow) }
}

fn challenged(sample: &samples::Exchange) -> Result<Challenged, Denied> {
    Ok(samples::challenged(&sample.challenge))
}

fn verified(sample: &samples::Exchange) -> Result<Verified, Denied> {
    verdict(Some(ExportedKey::exported(sample.exported_key())))
}

fn verdict(session_key: Option<ExportedKey>) -> Result<Verified, Denied> {
    Ok(Verified {
        principal: "LAB\\jo".to_owned(),
        account: account(),
        own_domain: Some("LAB".to_owned()),
        session_key,
    })
}

fn account() -> wire::Account {
    wire::Account {
        sam: "jo".to_owned(),
        upn: None,
        domain: Some("LAB".to_owned()),
        dns_domain: None,
        sid: None,
        kind: wire::AccountKind::Person,
    }
}

/// An exchange whose client has its challenge, and the token that it was sent.
fn asked(sample: &samples::Exchange, terms: Terms) -> (Exchange, Vec<u8>) {
    challenge(Exchange::begin(terms, sample.negotiate.clone()), sample)
}

fn challenge(step: Step, sample: &samples::Exchange) -> (Exchange, Vec<u8>) {
    let Step::Challenge(opening, _) = step else { panic!("{step:?}") };
    Step::from(opening.answer(challenged(sample))).asked()
}

/// The client's answer, as it is put to winbind.
fn answer(exchange: Exchange, terms: Terms, token: &[u8]) -> (Box<Verifying>, Question) {
    match exchange.token(terms, token.to_vec()) {
        Step::Verify(verifying, question) => (verifying, question),
        other => panic!("{other:?}"),
    }
}

/// A bare exchange up to the verdict.
fn run(sample: &samples::Exchange, terms: Terms, verdict: Result<Verified, Denied>) -> Step {
    let (exchange, _) = asked(sample, terms.clone());
    let (verifying, _) = answer(exchange, terms, &sample.authenticate);
    verifying.answer(verdict).into()
}

/// An exchange in SPNEGO whose client has its challenge.
fn spnego_asked(sample: &samples::Exchange, mechanisms: &[Oid<'_>], preferred: bool) -> Exchange {
    let first = init(mechanisms, preferred.then_some(&sample.negotiate));
    let mut step = Exchange::begin(in_spnego(), first);
    if !preferred {
        let (exchange, token) = step.asked();
        assert_eq!(NegTokenResp::read(&token).unwrap().token, None);
        let begins = response(State::Incomplete, false, Some(&sample.negotiate), None);
        step = exchange.token(in_spnego(), begins);
    }
    let (exchange, token) = challenge(step, sample);
    assert_eq!(NegTokenResp::read(&token).unwrap().token, Some(&sample.challenge[..]));
    exchange
}

fn signing(
    sample: &samples::Exchange,
) -> (ExportedKey, crate::mechanism::ntlm::message::Flags, Vec<u8>) {
    let authenticate = Authenticate::parse(sample.authenticate.clone()).unwrap();
    (ExportedKey::exported(sample.exported_key()), authenticate.flags, list_of(&[NTLM]))
}

/// The list of mechanisms as it is signed.
fn list_of(mechanisms: &[Oid<'_>]) -> Vec<u8> {
    match crate::mechanism::spnego::read(&init(mechanisms, None)) {
        crate::mechanism::spnego::Opening::Ntlm(NtlmFraming::Spnego { list, .. }) => list,
        other => panic!("{other:?}"),
    }
}
