//! The explanation, for people.

use std::fmt::Write as _;

use super::Explained;
use super::ago::ago;
use super::block::{CertificateFacts, Entry};
use crate::clock::Timestamp;

pub(super) fn of(explained: &Explained, now: Timestamp) -> String {
    let mut text = format!("{}\n", explained.file);
    for entry in &explained.blocks {
        // Writing to a string does not fail.
        let _ = writeln!(text, "block {}, line {}: {}", entry.number, entry.line, entry.label);
        for (word, fact) in facts(entry, now) {
            let _ = writeln!(text, "  {word:<12} {}", printable(&fact));
        }
    }
    for problem in &explained.problems {
        let _ = writeln!(text, "problem: {}", printable(problem));
    }
    text
}

fn facts(entry: &Entry, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut facts =
        entry.certificate.as_ref().map_or_else(Vec::new, |facts| of_certificate(facts, now));
    if let Some(encryption) = &entry.encryption {
        facts.push(("encrypted", encryption.clone()));
    }
    match (&entry.key, &entry.key_sha256) {
        (Some(key), Some(hash)) => {
            facts.push(("key", key.clone()));
            facts.push(("public key", format!("SHA-256 {hash}")));
        }
        _ if entry.is_private_key() => {
            let how = "use the passphrase (--pass-file, --pass-env) to see which";
            facts.push(("key", how.to_owned()));
        }
        _ if entry.certificate.is_none() => {
            facts.push(("", "Doorward does not read blocks of this kind".to_owned()));
        }
        _ => {}
    }
    if let Some(number) = entry.belongs_to {
        facts.push(("belongs to", format!("block {number}")));
    }
    facts
}

fn of_certificate(facts: &CertificateFacts, now: Timestamp) -> Vec<(&'static str, String)> {
    let CertificateFacts { begins_at, ends_at, .. } = facts;
    let end = match ends_at {
        end if *end < now => format!("expired {}", ago(*end, now)),
        end => format!("ends {}", ago(*end, now)),
    };
    let purposes = match &facts.purposes[..] {
        [] => "anything".to_owned(),
        some => some.join(", "),
    };
    let mut said = vec![("subject", facts.subject.clone())];
    if !facts.names.is_empty() {
        said.push(("names", facts.names.join(", ")));
    }
    let issuer = if facts.issuer == facts.subject { "itself" } else { &facts.issuer };
    said.extend([
        ("issuer", issuer.to_owned()),
        ("serial", facts.serial.clone()),
        ("valid", format!("{begins_at} to {ends_at} ({end})")),
        ("for", purposes),
        ("certificate", format!("SHA-256 {}", facts.sha256)),
    ]);
    said
}

/// Without control characters: a certificate is written by others, and a
/// terminal obeys.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}
