//! Authorities that are trusted, and whether a chain leads to one of them.

use rustls::DistinguishedName;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath, anchor_from_trusted_cert,
};

use super::authority::{self, Bounds, Purpose, Unfit};
use crate::clock::Timestamp;
use crate::pki::file::certificate::Certificate;

/// The authorities of one purpose.
#[derive(Debug)]
pub(in crate::pki) struct Anchors {
    purpose: Purpose,
    anchors: Vec<TrustAnchor<'static>>,
    /// Of each of them, in the same order.
    bounds: Vec<Bounds>,
    names: Vec<DistinguishedName>,
    unfit: Vec<UnfitAuthority>,
}

/// A certificate that is named as an authority's, and counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitAuthority {
    pub subject: String,
    /// Why it does not count.
    pub unfit: Unfit,
    raw_subject: Vec<u8>,
}

impl Anchors {
    pub(in crate::pki) fn new(purpose: Purpose) -> Self {
        let (anchors, bounds, names, unfit) = Default::default();
        Self { purpose, anchors, bounds, names, unfit }
    }

    /// Adds an authority; one that is unfit is kept apart.
    ///
    /// # Errors
    /// The certificate is damaged.
    pub(in crate::pki) fn add(&mut self, der: &CertificateDer<'_>) -> Result<(), String> {
        match authority::root(der, self.purpose) {
            Ok(bounds) => {
                let anchor = anchor_from_trusted_cert(der).map_err(|error| format!("{error:?}"))?;
                self.names.push(DistinguishedName::from(bounds.subject.clone()));
                self.anchors.push(anchor.to_owned());
                self.bounds.push(bounds);
            }
            Err(Unfit::Damaged) => return Err("it is not an X.509 certificate".to_owned()),
            Err(unfit) => {
                let subject = Certificate::read(der)?.subject;
                let raw_subject = authority::subject(der).unwrap_or_default();
                self.unfit.push(UnfitAuthority { subject, unfit, raw_subject });
            }
        }
        Ok(())
    }

    pub(in crate::pki) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The names of the authorities, for hints to clients.
    pub(in crate::pki) fn names(&self) -> &[DistinguishedName] {
        &self.names
    }

    /// Those that do not count.
    pub(in crate::pki) fn unfit(&self) -> &[UnfitAuthority] {
        &self.unfit
    }

    /// The one among those that issued a certificate of this issuer.
    pub(in crate::pki) fn unfit_issuer(&self, issuer: &[u8]) -> Option<&UnfitAuthority> {
        self.unfit.iter().find(|unfit| unfit.raw_subject == issuer)
    }

    /// The authorities of this name.
    pub(in crate::pki) fn named<'a>(
        &'a self,
        subject: &'a [u8],
    ) -> impl Iterator<Item = &'a Bounds> {
        self.bounds.iter().filter(move |bounds| bounds.subject == subject)
    }

    /// Whether a chain leads from a certificate to one of the authorities.
    ///
    /// # Errors
    /// The library's, for the most promising way.
    pub(in crate::pki) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        lists: &[CertRevocationList<'static>],
        now: Timestamp,
    ) -> Result<(), Error> {
        let leaf = EndEntityCert::try_from(leaf)?;
        // Who is no authority is not even asked whether it signed.
        let fit: Vec<_> = intermediates
            .iter()
            .filter(|between| authority::intermediate(between).is_ok())
            .cloned()
            .collect();
        let lists: Vec<_> = lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.unix()));
        let within = |path: &VerifiedPath<'_>| self.within_bounds(path, now, moment);
        let usage = match self.purpose {
            Purpose::Client => KeyUsage::client_auth(),
            Purpose::Server => KeyUsage::server_auth(),
        };
        let verified = leaf.verify_for_usage(
            algorithms(),
            &self.anchors,
            &fit,
            moment,
            usage,
            revocation,
            Some(&within),
        );
        verified.map(|_| ())
    }

    /// What the library does not ask of an authority that was named.
    fn within_bounds(
        &self,
        path: &VerifiedPath<'_>,
        now: Timestamp,
        moment: UnixTime,
    ) -> Result<(), Error> {
        let at = self.anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()));
        let Some(bounds) = at.and_then(|at| self.bounds.get(at)) else {
            return Err(Error::UnknownIssuer);
        };
        if !bounds.hold_at(now) {
            let end = u64::try_from(bounds.ends_at).unwrap_or_default();
            let not_after = UnixTime::since_unix_epoch(std::time::Duration::from_secs(end));
            return Err(Error::CertExpired { time: moment, not_after });
        }
        let between = path
            .intermediate_certificates()
            .filter(|between| between.subject() != between.issuer())
            .count();
        match bounds.path_length {
            Some(most) if between as u64 > u64::from(most) => Err(Error::PathLenConstraintViolated),
            _ => Ok(()),
        }
    }
}

/// The signatures that are verified here.
pub(in crate::pki) fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    default_provider().signature_verification_algorithms.all
}
