//! Client certificates. That the client holds the key, its TLS handshake has
//! proven; what remains is whether the certificate counts. As whom its key signs
//! on, only the core knows.

use super::{Outcome, Proof, Refused};
use crate::pki::peer::presented::PresentedCertificate;
use crate::wire::{self, Denied, Mechanism, Reason};

/// What a certificate amounts to that a client showed on its own connection,
/// and that was judged so. A sign-on by it is bound to that connection's TLS
/// channel: a relay would have to hold the key.
pub(crate) fn prove(shown: &PresentedCertificate, judged: Result<(), Denied>) -> Outcome {
    let refuse = |reason, detail: &str| {
        Outcome::Refused(Refused {
            mechanism: Mechanism::Certificate,
            reason,
            detail: format!("{shown}: {detail}"),
            reply: None,
        })
    };
    match (judged, shown.facts()) {
        (Err(Denied { reason, detail }), _) => refuse(reason, &detail),
        (Ok(()), None) => refuse(Reason::CertificateForm, "it cannot be read"),
        (Ok(()), Some(facts)) => Outcome::Proven {
            proof: Proof(wire::Proof {
                mechanism: Mechanism::Certificate,
                principal: facts.subject.clone(),
                acceptor_realm: None,
                account: None,
                public_key: Some(shown.key().to_owned()),
                channel_bound: true,
                ends_at: Some(facts.ends_at),
                groups: Vec::new(),
            }),
            reply: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::peer::key_policy::key_of_certificate;
    use rustls::pki_types::CertificateDer;

    #[test]
    fn the_proof_names_the_key_and_the_subject_and_ends_with_the_certificate() {
        let made = rcgen::generate_simple_self_signed(vec!["john.example".to_owned()]).unwrap();
        let shown = PresentedCertificate::new(&[made.cert.der().clone()]).unwrap();
        let Outcome::Proven { proof, reply: None } = prove(&shown, Ok(())) else { panic!() };
        let proof = proof.into_message();
        let key = key_of_certificate(made.cert.der()).unwrap();
        assert_eq!(proof.public_key, Some(key.fingerprint()));
        assert_eq!(proof.principal, "CN=rcgen self signed cert");
        assert_eq!(proof.ends_at, shown.facts().map(|facts| facts.ends_at));
        assert!(proof.channel_bound);
    }

    #[test]
    fn a_certificate_that_does_not_count_proves_nobody() {
        let revoked = Denied::new(Reason::CertificateRevoked, "on the list");
        let made = rcgen::generate_simple_self_signed(vec!["john.example".to_owned()]).unwrap();
        for (certificate, judged, expected) in [
            (made.cert.der().clone(), Err(revoked), Reason::CertificateRevoked),
            (CertificateDer::from(vec![0x30]), Ok(()), Reason::CertificateForm),
        ] {
            match prove(&PresentedCertificate::new(&[certificate]).unwrap(), judged) {
                Outcome::Refused(refused) => assert_eq!(refused.reason, expected),
                Outcome::Proven { .. } => panic!("{expected}"),
            }
        }
    }
}
