//! What an answer can say beyond its reason: pure functions of the known facts about a request and
//! this gateway. Nothing is guessed: without facts, the reason's own sentence is used.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::front::readiness::{Clock, Services};
use crate::front::request::unlisted::Mark;
use crate::front::upstream::UpstreamError;
use crate::wire::{Ended, Mechanism, Reason};

#[cfg(test)]
mod tests;

/// What is known.
#[derive(Clone, Debug, Default)]
pub(in crate::front) struct Known<'a> {
    /// The host that was asked for.
    pub(in crate::front) host: &'a str,
    /// The port in the request's host.
    pub(in crate::front) port: Option<u16>,
    /// Whether it came by HTTPS.
    pub(in crate::front) secure: bool,
    /// The port of this gateway's HTTPS.
    pub(in crate::front) https_port: Option<u16>,
    /// The sender's address, where the sender is not a listed proxy.
    pub(in crate::front) peer: Option<IpAddr>,
    /// What shows that a proxy sent it that is not listed.
    pub(in crate::front) mark: Option<Mark>,
    /// By what one can sign on here, in general.
    pub(in crate::front) mechanisms: &'a [Mechanism],
    /// Whether sign-ons must be bound to TLS here.
    pub(in crate::front) bound: bool,
    /// Whether NTLM belongs to the list, and is switched off because it does not work.
    pub(in crate::front) ntlm_is_off: bool,
    /// Whether it has worked since the start: then people may count on it.
    pub(in crate::front) ntlm_worked: bool,
    /// For whom the keytab has keys; `None` where it was not read.
    pub(in crate::front) services: Option<&'a Services>,
    /// The name by which to come instead: it has a key, and a site.
    pub(in crate::front) better: Option<&'a str>,
    /// This gateway's clock beside the domain's.
    pub(in crate::front) clock: Option<Clock>,
    /// Why the session ended that the request named.
    pub(in crate::front) ended: Option<Ended>,
}

/// The words of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::front) struct Advice {
    /// What is wrong and what to do, in a sentence or two.
    pub(in crate::front) sentence: Cow<'static, str>,
    /// Settings and commands that help, each with the value for this site.
    pub(in crate::front) steps: Vec<Step>,
}

/// A setting or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::front) struct Step {
    /// What it is for.
    pub(in crate::front) label: &'static str,
    /// How it is done.
    pub(in crate::front) text: Cow<'static, str>,
    /// What is typed.
    pub(in crate::front) value: String,
}

impl Advice {
    /// A sentence, and nothing to be set.
    pub(in crate::front) fn of(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { sentence: sentence.into(), steps: Vec::new() }
    }

    /// All of it in one line, for programs.
    pub(in crate::front) fn message(&self) -> String {
        let mut message = self.sentence.to_string();
        for Step { label, text, value } in &self.steps {
            message.push_str(&format!(" {label}: {text}"));
            if !value.is_empty() {
                message.push_str(&format!(": {value}"));
            }
            message.push('.');
        }
        message
    }
}

/// What to say of a reason.
pub(in crate::front) fn advise(reason: Reason, known: &Known<'_>) -> Advice {
    let mut steps = Vec::new();
    let sentence = match reason {
        Reason::NoCredentials => {
            let (sentence, lists) = no_credentials(known);
            if lists {
                steps = browsers(known);
            }
            sentence
        }
        Reason::NtlmSent if known.ntlm_is_off => {
            steps = browsers(known);
            Some(format!(
                "{NTLM_IS_OFF} Your program sent NTLM because it found no Kerberos ticket."
            ))
        }
        Reason::NtlmSent | Reason::EmptyToken => {
            let why = wrong_name(known);
            steps = browsers(known);
            why.map(|why| format!("Your program has no Kerberos ticket for this site. {why}"))
        }
        Reason::BindingMissing if !known.secure => Some(needs_https(known)),
        Reason::BindingMissing => Some(format!(
            "{} curl and Chromium on Linux send none; Edge, Chrome and Firefox on Windows do.",
            reason.sentence()
        )),
        Reason::BasicNeedsTls => password_over_http(known),
        Reason::UntrustedProxy => known.peer.map(|peer| {
            format!(
                "The question came from {peer}, which is not in trusted_proxies of this gateway, \
                 so its headers about the request are not believed."
            )
        }),
        Reason::NoSite => no_site(known),
        Reason::ClockSkew | Reason::TicketExpired | Reason::TicketNotYetValid => {
            known.clock.and_then(|clock| whose_clock(reason, clock))
        }
        Reason::SessionEnded => known.ended.map(|ended| format!("{ended} Sign on again.")),
        _ => None,
    };
    let sentence = sentence.map_or(Cow::Borrowed(reason.sentence()), Cow::Owned);
    Advice { sentence, steps }
}

/// What to say where an application gave no answer: whoever reads it is signed on, and
/// cannot fix it. Addresses are for the log.
pub(in crate::front) fn application(error: &UpstreamError) -> Advice {
    Advice::of(match error {
        UpstreamError::Connect { .. } => {
            "You are signed on, but the application behind this site is not running, or cannot be \
             reached. Tell its administrator."
        }
        UpstreamError::ConnectTimeout { .. } => {
            "You are signed on, but the application behind this site did not accept the connection \
             in time. It may be overloaded: try again in a minute."
        }
        UpstreamError::AnswerTimeout { .. } => {
            "You are signed on, but the application behind this site took too long to answer. Try \
             again. If it happens again, tell its administrator."
        }
        UpstreamError::Broken { .. } | UpstreamError::UnaskedUpgrade { .. } => {
            "You are signed on, but the answer of the application behind this site is damaged. \
             Tell its administrator."
        }
        other => return Advice::of(other.reason().sentence()),
    })
}

/// Why no ticket came, and whether the browser's list may be the cause.
fn no_credentials(known: &Known<'_>) -> (Option<String>, bool) {
    if known.bound && !known.secure {
        return (Some(format!("You are not signed on. {}", needs_https(known))), false);
    }
    let negotiate = known.mechanisms.contains(&Mechanism::Negotiate);
    if !negotiate {
        let by_password = known.mechanisms.contains(&Mechanism::Basic);
        let sentence = match by_password {
            true if known.secure => {
                "You are not signed on. This site asks for a user name and a password: open it \
                 again and enter them."
                    .to_owned()
            }
            true => format!(
                "You are not signed on. This site asks for a password, but accepts one only over \
                 HTTPS: use {}.{}",
                by_https(known),
                through_proxy(known)
            ),
            false => "You are not signed on.".to_owned(),
        };
        return (Some(sentence), false);
    }
    let why = wrong_name(known);
    let lists = !is_address(known.host);
    let mut sentence = match why {
        Some(why) => format!("Your browser sent no Kerberos ticket. {why}"),
        None => NOT_LISTED.to_owned(),
    };
    sentence.push_str(&through_proxy(known));
    if known.ntlm_is_off && known.ntlm_worked {
        sentence.push(' ');
        sentence.push_str(NTLM_IS_OFF);
    }
    (Some(sentence), lists)
}

/// What is wrong with the name by which the site was reached, where that can be told.
fn wrong_name(known: &Known<'_>) -> Option<String> {
    let host = known.host;
    if host.is_empty() {
        return None;
    }
    let instead = |or: &str| match known.better {
        Some(name) => format!("Use {}", url(name, known)),
        None => or.to_owned(),
    };
    if is_address(host) {
        let instead = instead("Use the site's name");
        return Some(format!(
            "You used the address {host}, but tickets are for names only. {instead}."
        ));
    }
    let services = known.services?;
    if services.holds(host) || !services.are_named() {
        return unregistered(services, host);
    }
    if !host.contains('.') {
        let instead = instead("Use the site's full name");
        return Some(format!(
            "You used the short name {host}, for which this gateway has no key. {instead}."
        ));
    }
    let instead = instead("Ask your administrator to register the name for this gateway");
    Some(format!(
        "This gateway has no key for the name {host}, so there may be no ticket for it. {instead}."
    ))
}

/// The keytab has the name, but the domain does not.
fn unregistered(services: &Services, host: &str) -> Option<String> {
    services.is_unknown_to_the_domain(host).then(|| {
        format!(
            "The domain issues no ticket for {host}: the name HTTP/{host} is on no account there, \
             or on two. Tell your administrator."
        )
    })
}

fn needs_https(known: &Known<'_>) -> String {
    format!(
        "This site accepts sign-ons only over HTTPS, because they must be bound to the TLS \
         connection, but you used plain HTTP. Use {}.{}",
        by_https(known),
        through_proxy(known)
    )
}

fn password_over_http(known: &Known<'_>) -> Option<String> {
    let (peer, mark) = (known.peer?, known.mark.filter(|mark| mark.https)?);
    Some(format!(
        "A password came from {peer}, which says that the client used HTTPS ({mark}). But {peer} \
         is not in trusted_proxies of this gateway, so the password counts as sent over plain \
         HTTP, and was not checked. If {peer} is your proxy, list it in trusted_proxies. If it is \
         not, use HTTPS, and change the password."
    ))
}

/// Said where the scheme is what matters.
fn through_proxy(known: &Known<'_>) -> String {
    match (known.peer, known.mark) {
        (Some(peer), Some(mark)) if mark.https && !known.secure => format!(
            " The request came through {peer}, which says https but is not in trusted_proxies of \
             this gateway, so it counts as plain HTTP."
        ),
        _ => String::new(),
    }
}

fn no_site(known: &Known<'_>) -> Option<String> {
    let host = known.host;
    if host.is_empty() {
        return None;
    }
    if is_address(host) || host == "localhost" || known.mark.is_some() {
        return Some(format!(
            "No site is configured for the host {host} and this path. If there is a proxy in front \
             of this gateway: does it pass on Host (nginx: proxy_set_header Host $http_host)?"
        ));
    }
    Some(format!("No site is configured for the host {host} and this path."))
}

/// Who has to set the clock, where this gateway knows how its own stands.
fn whose_clock(reason: Reason, clock: Clock) -> Option<String> {
    if clock.is_wrong() {
        return Some(format!(
            "The clock of this gateway is wrong: it is {clock} the domain's, so tickets are \
             refused. Tell the administrator, who must set it."
        ));
    }
    (reason != Reason::TicketExpired).then(|| {
        format!(
            "{} The clock of this gateway agrees with the domain's, so your machine's clock is \
             wrong: set it by the domain's time.",
            match reason {
                Reason::ClockSkew => {
                    "The clocks of your machine and of this gateway differ by more than Kerberos \
                     allows (five minutes)."
                }
                _ => "The Kerberos ticket is not valid yet.",
            }
        )
    })
}

/// What lets each browser send a ticket to this site, and how to see whether there is one.
fn browsers(known: &Known<'_>) -> Vec<Step> {
    if known.host.is_empty() || is_address(known.host) {
        return Vec::new();
    }
    // Where another name is proposed, it is the one to be set.
    let lacks_key = |services: &&Services| !services.holds(known.host);
    let better = known.services.filter(lacks_key).and(known.better);
    let host = better.unwrap_or(known.host);
    let scheme = if known.secure { "https" } else { "http" };
    let step = |label, text: &'static str, value| Step { label, text: text.into(), value };
    vec![
        step("Chrome, Edge", "set the policy", format!("AuthServerAllowlist = {host}")),
        step(
            "Firefox",
            "set in about:config",
            format!("network.negotiate-auth.trusted-uris = {scheme}://{host}"),
        ),
        step("Windows", "add to the zone Local intranet", format!("{scheme}://{host}")),
        step("Safari", "needs no setting", String::new()),
        step(
            "Ticket on Windows",
            "get a ticket, or see why there is none",
            format!("klist get HTTP/{host}"),
        ),
        step("Ticket elsewhere", "the same, after kinit", format!("kvno HTTP/{host}")),
    ]
}

/// `https://web.example/`, where this gateway has HTTPS.
fn by_https(known: &Known<'_>) -> String {
    match (known.host, known.https_port) {
        ("", _) | (_, None) => "https://".to_owned(),
        (host, Some(443)) => format!("https://{host}/"),
        (host, Some(port)) => format!("https://{host}:{port}/"),
    }
}

/// The same address under another name.
fn url(name: &str, known: &Known<'_>) -> String {
    let (scheme, usual) = if known.secure { ("https", 443) } else { ("http", 80) };
    match known.port {
        Some(port) if port != usual => format!("{scheme}://{name}:{port}/"),
        _ => format!("{scheme}://{name}/"),
    }
}

fn is_address(host: &str) -> bool {
    host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

const NOT_LISTED: &str = "Your browser sent no Kerberos ticket. It sends one only to sites on its list of trusted sites, and only if you are signed on to the domain.";

const NTLM_IS_OFF: &str =
    "Signing on by NTLM is switched off now, because this gateway's winbind does not answer.";
