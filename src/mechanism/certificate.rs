//! Client certificates. The TLS handshake has proven that the client has the key; here it is
//! decided whether the certificate is accepted. Only the core knows the key's user.

use super::outcome::{Outcome, Proof};
use crate::pki::peer::presented::{PresentedCertificate, ProvenCertificate};
use crate::wire::{self, Denied, Mechanism, Reason};

/// What a certificate amounts to that a client showed on its own connection,
/// and that was judged so. A sign-on by it is bound to that connection's TLS
/// channel: a relay would have to hold the key.
pub(crate) fn prove(
    shown: &PresentedCertificate,
    judged: Result<&ProvenCertificate, Denied>,
) -> Outcome {
    let refuse = |reason, detail: &str| {
        Outcome::refused(Mechanism::Certificate, reason, format!("{shown}: {detail}"))
    };
    match judged.map(|certificate| (certificate.public_key(), certificate.facts())) {
        Err(Denied { reason, detail }) => refuse(reason, &detail),
        Ok((_, None)) => refuse(Reason::CertificateForm, "it cannot be read"),
        Ok((public_key, Some(facts))) => Outcome::Proven {
            proof: Proof::new(wire::Proof {
                mechanism: Mechanism::Certificate,
                principal: facts.subject.clone(),
                acceptor_realm: None,
                account: None,
                public_key: Some(public_key),
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

    #[test]
    fn the_proof_names_the_key_and_the_subject_and_ends_with_the_certificate() {
        let made = rcgen::generate_simple_self_signed(vec!["john.example".to_owned()]).unwrap();
        let shown = PresentedCertificate::of_handshake(&[made.cert.der().clone()]).unwrap();
        let certificate = shown.proven().unwrap();
        let Outcome::Proven { proof, reply: None } = prove(&shown, Ok(certificate)) else {
            panic!()
        };
        let proof = proof.into_message();
        let key = key_of_certificate(made.cert.der()).unwrap();
        assert_eq!(proof.public_key, Some(key.fingerprint()));
        assert_eq!(proof.principal, "CN=rcgen self signed cert");
        assert_eq!(proof.ends_at, certificate.facts().map(|facts| facts.ends_at));
        assert!(proof.channel_bound);
    }

    #[test]
    fn a_certificate_that_does_not_count_proves_nobody() {
        let revoked = Denied::new(Reason::CertificateRevoked, "on the list");
        let made = rcgen::generate_simple_self_signed(vec!["john.example".to_owned()]).unwrap();
        let own = PresentedCertificate::of_handshake(&[made.cert.der().clone()]).unwrap();
        let damaged = PresentedCertificate::of_handshake(&[vec![0x30].into()]).unwrap();
        for (shown, judged, expected) in [
            (&own, Err(revoked), Reason::CertificateRevoked),
            (&damaged, damaged.proven(), Reason::CertificateForm),
        ] {
            match prove(shown, judged) {
                Outcome::Refused(refused) => assert_eq!(refused.reason, expected),
                Outcome::Proven { .. } => panic!("{expected}"),
            }
        }
    }
}
