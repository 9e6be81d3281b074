//! Whether clients accept a certificate for its use.

use super::cert::Cert;
use super::chain::Chain;
use crate::advice::{authority as authorities, certificate as advice};
use crate::cli::check::report::Finding;
use crate::pki::Algorithm;
use crate::pki::peer::{authority, key_policy};

/// What is wrong with the server's own certificate, and with those that issued it.
pub(super) fn findings(line: &'static str, chain: &Chain<'_>) -> Vec<Finding> {
    let mut links = chain.links();
    let mut findings: Vec<_> = links.next().map(|leaf| of_server(line, leaf)).unwrap_or_default();
    findings.extend(links.flat_map(|issuer| of_issuer(line, issuer)));
    findings
}

fn of_server(line: &'static str, cert: &Cert) -> Vec<Finding> {
    let name = cert.name();
    let mut findings = Vec::new();
    if !cert.is_version_3 {
        let found = format!("{name} is X.509 version 1, which cannot be marked as a server's");
        findings.push(Finding::warn(line, found, advice::SERVER_USE));
    }
    if !cert.is_for_servers() {
        let found = format!(
            "{name} is not for servers (extended key usage lacks serverAuth): clients refuse it"
        );
        findings.push(Finding::fail(line, found, advice::SERVER_USE));
    }
    if !cert.may_serve_by_usage() {
        let found = format!(
            "the key of {name} may not sign handshakes (key usage lacks digitalSignature): clients refuse it"
        );
        findings.push(Finding::fail(line, found, advice::SERVER_USE));
    }
    if cert.is_ca && !cert.is_self_issued() {
        let found = format!(
            "{name} is an authority's certificate (basicConstraints CA:TRUE): some clients refuse it from a server"
        );
        findings.push(Finding::warn(line, found, advice::NOT_A_CA));
    }
    findings.extend(forgeable(line, cert));
    findings
}

/// A certificate by which a front signs on.
pub(super) fn of_client(line: &'static str, cert: &Cert) -> Option<Finding> {
    (!cert.is_for_clients()).then(|| {
        let found = format!(
            "{} is not for clients (extended key usage lacks clientAuth): the core refuses it",
            cert.name()
        );
        Finding::fail(line, found, advice::CLIENT_USE)
    })
}

/// A key that this gateway can speak TLS with, and browsers cannot.
pub(super) fn unusual_key(line: &'static str, cert: &Cert) -> Option<Finding> {
    let key = key_policy::key_of_certificate(&cert.der).ok()?;
    let unusual = match key.algorithm() {
        Algorithm::Ed25519 => true,
        Algorithm::Ecdsa(curve) => curve == "P-521",
        Algorithm::Rsa(_) | Algorithm::Other(_) => false,
    };
    unusual.then(|| {
        let found =
            format!("the key of {} is {}: most browsers refuse it", cert.name(), key.algorithm());
        Finding::warn(line, found, advice::COMMON_KEY)
    })
}

fn of_issuer(line: &'static str, cert: &Cert) -> Vec<Finding> {
    let name = cert.name();
    let mut findings: Vec<_> = unable_to_sign(line, cert).into_iter().collect();
    if let Err(unfit) = key_policy::key_of_certificate(&cert.der) {
        findings.push(Finding::error(line, &format!("{name}: {unfit}"), authorities::NEW_CA));
    }
    // What a root says of itself is not looked at.
    if !cert.is_self_issued() {
        findings.extend(forgeable(line, cert));
    }
    findings
}

/// An authority that may not be one, by the rules for all authorities.
fn unable_to_sign(line: &'static str, cert: &Cert) -> Option<Finding> {
    // A root of X.509 version 1 says nothing of itself, and is believed.
    let unfit = authority::intermediate(&cert.der).err()?;
    if unfit == authority::Unfit::Version && cert.is_self_issued() {
        return None;
    }
    let found = format!(
        "the certificate of {} may not sign certificates ({unfit}): openssl and browsers refuse the certificates that it signed",
        cert.name()
    );
    Some(Finding::fail(line, found, authorities::NEW_CA))
}

fn forgeable(line: &'static str, cert: &Cert) -> Option<Finding> {
    let (_, hash) = FORGEABLE.iter().find(|(id, _)| *id == cert.signature)?;
    let found = format!("{} is signed with {hash}, which can be forged", cert.name());
    Some(Finding::fail(line, found, advice::SIGNATURE))
}

/// Signatures with MD5 and SHA-1, by RSA and ECDSA.
const FORGEABLE: [(&str, &str); 3] = [
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
];
