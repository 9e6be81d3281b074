use super::*;
use crate::clock::Timestamp;
use crate::front::readiness::testing::services;
use crate::wire::Ending;

const BOTH: &[Mechanism] = &[Mechanism::Negotiate, Mechanism::Ntlm];

fn at<'a>(host: &'a str, services: &'a Services) -> Known<'a> {
    let better = services.better_name(host);
    Known { host, mechanisms: BOTH, services: Some(services), better, ..Known::default() }
}

fn proxied() -> (Option<IpAddr>, Option<Mark>) {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-forwarded-proto", http::HeaderValue::from_static("https"));
    (Some([10, 1, 0, 5].into()), Mark::read(&headers))
}

#[track_caller]
fn says(advice: &Advice, words: &[&str]) {
    for word in words {
        assert!(advice.message().contains(word), "{word} is missing in {}", advice.message());
    }
}

#[test]
fn the_browsers_list_is_named_with_the_value_for_this_site() {
    let keys = services(&["HTTP/web.example@L"]);
    let advice = advise(Reason::NoCredentials, &at("web.example", &keys));
    says(
        &advice,
        &[
            "list of trusted sites",
            "AuthServerAllowlist = web.example",
            "network.negotiate-auth.trusted-uris = http://web.example",
            "Local intranet: http://web.example",
            "klist get HTTP/web.example",
            "kvno HTTP/web.example",
        ],
    );
    let secure = Known { secure: true, ..at("web.example", &keys) };
    says(&advise(Reason::NoCredentials, &secure), &["trusted-uris = https://web.example"]);
}

#[test]
fn an_address_has_no_tickets_and_no_list_helps() {
    let keys = services(&["HTTP/web.example@L"]);
    let known = Known { port: Some(8080), ..at("10.77.0.1", &keys) };
    let advice = advise(Reason::NoCredentials, &known);
    says(&advice, &["the address 10.77.0.1", "names only", "Use http://web.example:8080/"]);
    assert!(advice.steps.is_empty(), "{advice:?}");
    let advice = advise(Reason::NoCredentials, &at("[fe80::1]", &Services::default()));
    says(&advice, &["the address [fe80::1]", "the site's name"]);
}

#[test]
fn a_short_name_and_a_name_without_a_key_are_told() {
    let keys = services(&["HTTP/web.example@L"]);
    let advice = advise(Reason::NoCredentials, &at("web", &keys));
    says(&advice, &["the short name web", "Use http://web.example/"]);
    says(&advice, &["AuthServerAllowlist = web.example"]);
    let advice = advise(Reason::NoCredentials, &at("intranet.example", &keys));
    says(&advice, &["no key for the name intranet.example", "Use http://web.example/"]);
    assert!(!advice.steps.is_empty(), "an alias of the same account works");
    let unserved = Known { better: None, ..at("intranet.example", &keys) };
    let advice = advise(Reason::NoCredentials, &unserved);
    says(
        &advice,
        &["Ask your administrator to register the name", "AuthServerAllowlist = intranet.example"],
    );
    assert!(!advice.message().contains("web.example"), "no site has the name: {advice:?}");
    let short = services(&["HTTP/web@L"]);
    let advice = advise(Reason::NoCredentials, &at("web", &short));
    assert!(!advice.message().contains("short name"), "{advice:?}");
}

#[test]
fn where_nothing_is_known_of_names_nothing_is_said() {
    let machine = services(&["SRV$@L"]);
    for host in ["web", "web.example"] {
        let advice = advise(Reason::NoCredentials, &at(host, &machine));
        says(&advice, &["list of trusted sites"]);
        let unread = Known { services: None, ..at(host, &machine) };
        says(&advise(Reason::NoCredentials, &unread), &["list of trusted sites"]);
    }
}

#[test]
fn a_name_that_the_domain_does_not_know_is_no_matter_of_the_browser() {
    let keys = services(&["HTTP/web.example@L"]).without(["web.example".to_owned()]);
    let advice = advise(Reason::NoCredentials, &at("web.example", &keys));
    says(&advice, &["no ticket for web.example", "on no account"]);
}

#[test]
fn plain_http_is_told_where_sign_ons_are_bound_to_tls() {
    let keys = services(&["HTTP/web.example@L"]);
    for reason in [Reason::NoCredentials, Reason::BindingMissing] {
        let known = Known { bound: true, https_port: Some(443), ..at("web.example", &keys) };
        says(&advise(reason, &known), &["plain HTTP. Use https://web.example/."]);
        let known = Known { https_port: None, ..known };
        says(&advise(reason, &known), &["Use https://."]);
    }
    let secure = Known { bound: true, secure: true, ..at("web.example", &keys) };
    says(&advise(Reason::BindingMissing, &secure), &["curl and Chromium on Linux send none"]);
}

#[test]
fn a_proxy_that_nobody_listed_is_named() {
    let keys = services(&["HTTP/web.example@L"]);
    let (peer, mark) = proxied();
    let known = Known { peer, mark, ..at("web.example", &keys) };
    says(&advise(Reason::NoCredentials, &known), &["10.1.0.5", "trusted_proxies"]);
    let advice = advise(Reason::BasicNeedsTls, &known);
    says(&advice, &["10.1.0.5", "X-Forwarded-Proto: https", "trusted_proxies"]);
    let alone = Known { mark: None, ..known.clone() };
    assert_eq!(advise(Reason::BasicNeedsTls, &alone).sentence, Reason::BasicNeedsTls.sentence());
    says(&advise(Reason::UntrustedProxy, &known), &["came from 10.1.0.5"]);
    says(&advise(Reason::NoSite, &known), &["proxy_set_header Host"]);
}

#[test]
fn ntlm_that_is_switched_off_is_told() {
    let keys = services(&["HTTP/web.example@L"]);
    let known = Known { ntlm_is_off: true, ntlm_worked: true, ..at("web.example", &keys) };
    for reason in [Reason::NoCredentials, Reason::NtlmSent] {
        says(&advise(reason, &known), &["NTLM is switched off", "winbind does not answer"]);
    }
    let never = Known { ntlm_worked: false, ..known };
    let advice = advise(Reason::NoCredentials, &never);
    assert!(!advice.message().contains("NTLM"), "a host that joined no domain: {advice:?}");
}

#[test]
fn no_machine_is_blamed_for_its_clock_unheard() {
    let reasons = [Reason::ClockSkew, Reason::TicketNotYetValid, Reason::TicketExpired];
    let theirs = Timestamp::from_unix(1_000_000);
    let off =
        |seconds: u64| Some(Clock::compare(Timestamp::from_unix(1_000_000 + seconds), theirs));
    for reason in reasons {
        let unknown = advise(reason, &Known::default());
        assert_eq!(unknown.sentence, reason.sentence());
        let ours = Known { clock: off(602), ..Known::default() };
        says(&advise(reason, &ours), &["clock of this gateway is wrong", "10 min 02 s ahead"]);
    }
    let right = Known { clock: off(1), ..Known::default() };
    says(&advise(Reason::ClockSkew, &right), &["your machine's clock is wrong"]);
    let expired = advise(Reason::TicketExpired, &right);
    assert_eq!(expired.sentence, Reason::TicketExpired.sentence());
}

#[test]
fn a_session_that_ended_says_why_and_when() {
    let ended = Ended { why: Ending::TicketEnd, at: Timestamp::from_unix(4_380) };
    let known = Known { ended: Some(ended), ..Known::default() };
    assert_eq!(
        advise(Reason::SessionEnded, &known).sentence,
        "Your session ended with your Kerberos ticket, at 01:13 UTC. Sign on again."
    );
}

#[test]
fn a_site_for_passwords_says_nothing_of_tickets() {
    let basic: &[Mechanism] = &[Mechanism::Basic];
    let known = Known { host: "web.example", mechanisms: basic, ..Known::default() };
    let plain = advise(Reason::NoCredentials, &known);
    says(&plain, &["only over HTTPS: use https://"]);
    let secure = advise(Reason::NoCredentials, &Known { secure: true, ..known });
    says(&secure, &["user name and a password"]);
    assert!(!secure.message().contains("ticket"), "{secure:?}");
}
