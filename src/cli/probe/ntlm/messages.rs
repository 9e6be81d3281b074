//! What the messages say, in plain words.

use super::account::Account;
use super::challenge::Challenge;
use super::message::Third;
use super::pairs;
use crate::cli::probe::connection::target::Target;
use crate::clock::Timestamp;
use crate::mechanism::ntlm::message::Flags;

/// The challenge: of whom it is, what its clock says, and how safe what it
/// agrees to is. Each with the name of its line.
pub(super) fn challenge(challenge: &Challenge, now: Timestamp) -> [(&'static str, String); 3] {
    [
        ("challenge", names(challenge)),
        ("clock", clock(challenge, now)),
        ("security", security(challenge.flags)),
    ]
}

fn names(challenge: &Challenge) -> String {
    let of = |what: &str, short: u16, long: u16| {
        let told = [short, long].map(|id| challenge.information.name(id));
        match told {
            [Some(short), Some(long)] => format!("{what} {short} ({long})"),
            [Some(name), None] | [None, Some(name)] => format!("{what} {name}"),
            [None, None] => format!("{what} not reported"),
        }
    };
    if challenge.information.is_empty() {
        let target = &challenge.target;
        return format!("of {target}, which reports nothing else about itself: a very old server");
    }
    let domain = of("domain", pairs::DOMAIN, pairs::DNS_DOMAIN);
    let computer = of("computer", pairs::COMPUTER, pairs::DNS_COMPUTER);
    format!("{domain}; {computer}")
}

fn clock(challenge: &Challenge, now: Timestamp) -> String {
    let Some(theirs) = challenge.time() else {
        return "not reported, so clients send no message integrity code".to_owned();
    };
    let (ahead, behind) = (now.until(theirs).as_secs(), theirs.until(now).as_secs());
    let difference = match (ahead, behind) {
        (0..=TOLERABLE, 0..=TOLERABLE) => "as here".to_owned(),
        (0, seconds) => format!("{seconds} s behind this machine's{MEND}"),
        (seconds, _) => format!("{seconds} s ahead of this machine's{MEND}"),
    };
    format!("{theirs}, {difference}")
}

fn security(flags: Flags) -> String {
    let parts = [
        (Flags::EXTENDED_SESSION_SECURITY, "NTLMv2 session security", "NO NTLMv2 session security"),
        (Flags::BITS_128, "keys of 128 bits", "NO keys of 128 bits"),
        (Flags::SIGN, "signing", "no signing"),
        (Flags::KEY_EXCHANGE, "key exchange", "no key exchange"),
    ];
    let words =
        parts.map(|(flag, with, without)| if flags.contains(flag) { with } else { without });
    words.join(", ")
}

/// What the third message holds.
pub(super) fn third(account: &Account, third: &Third) -> String {
    let binding = if third.is_bound { "with" } else { "without" };
    let code = if third.has_code { "with" } else { "without" };
    format!(
        "answers as {account} with NTLMv2, {binding} channel binding, {code} message integrity code"
    )
}

/// NTLM lets the server prove nothing.
pub(super) const fn proof(target: &Target) -> &'static str {
    if target.tls {
        "NTLM does not authenticate the server: only its certificate does"
    } else {
        "NOTHING authenticates the server: NTLM does not, and plain HTTP has no certificate"
    }
}

/// Seconds that a message may take, and the clocks are cut to.
const TOLERABLE: u64 = 2;

const MEND: &str = ": set both from the same time server";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::probe::ntlm::challenge;
    use crate::cli::probe::ntlm::challenge::tests::samba;

    #[test]
    fn a_challenge_is_told_in_three_lines() {
        let samba = challenge::read(&samba()).unwrap();
        let now = samba.time().unwrap();
        let lines = challenge(&samba, now).map(|(_, line)| line);
        assert_eq!(lines[0], "domain LAB; computer DC1 (vm)");
        assert_eq!(lines[1], "2026-11-22T14:54:08Z, as here");
        assert_eq!(
            lines[2],
            "NTLMv2 session security, keys of 128 bits, no signing, no key exchange"
        );
    }

    #[test]
    fn clocks_that_differ_are_told_with_the_mend() {
        let samba = challenge::read(&samba()).unwrap();
        let theirs = samba.time().unwrap();
        let hour = Duration::from_secs(3600);
        assert!(clock(&samba, theirs.plus(hour)).contains("3600 s behind this machine's: set"));
        let before = Timestamp::from_unix(theirs.unix() - 3600);
        assert!(clock(&samba, before).contains("3600 s ahead of this machine's: set"));
    }
}
