//! Errors of `doorward cert`.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::pki::KeyError;
use crate::pki::file::pem::PemError;

/// A key or certificate that was not made. What stood there before still stands.
#[derive(Debug, Error)]
pub(super) enum CertError {
    #[error("{} exists already and is not overwritten. For a new certificate for the same key, add --renew; for a new key, move the file away first", .0.display())]
    Exists(PathBuf),
    #[error("{} does not exist, so there is nothing to renew; leave out --renew to make it", .0.display())]
    NothingToRenew(PathBuf),
    #[error("there is no CA in {folder}: make one with `doorward cert ca --dir {folder}`, or name its folder with --ca", folder = .0.display())]
    NoAuthority(PathBuf),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is damaged: {fault}", path.display())]
    Damaged { path: PathBuf, fault: PemError },
    #[error("{} contains no certificate in PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    #[error("the first certificate in {} cannot be read as X.509: {fault}", path.display())]
    OddCertificate { path: PathBuf, fault: String },
    #[error("the key in {} does not belong to the certificate in {}; `doorward cert show` explains each file", key.display(), certificate.display())]
    Mismatch { key: PathBuf, certificate: PathBuf },
    #[error("{} is not the certificate of a CA", .0.display())]
    NotAuthority(PathBuf),
    #[error("the CA's certificate in {} has ended; renew it with `doorward cert ca --renew`", .0.display())]
    AuthorityEnded(PathBuf),
    #[error("the name of the CA in {} cannot be repeated exactly, so its certificates would not be trusted; sign them with the program that made the CA", .0.display())]
    AuthorityName(PathBuf),
    #[error("{} is for a {is}, not for a {wanted}; renew it with `doorward cert {is}`", path.display())]
    OtherPurpose { path: PathBuf, is: &'static str, wanted: &'static str },
    #[error("{name:?} cannot be the name of a {kind}: {fault}")]
    Name { name: String, kind: &'static str, fault: &'static str },
    #[error("{0:?} is neither a host name nor an address")]
    Host(String),
    #[error("there is no environment variable {variable}, which should contain the passphrase")]
    NoVariable { variable: String },
    #[error("the passphrase of {options} cannot be read: {source}")]
    PassPhrase { options: &'static str, source: io::Error },
    #[error("the passphrase of {options} is empty; without one, leave the option out")]
    EmptyPassPhrase { options: &'static str },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the key cannot be encrypted")]
    Seal,
    #[error("cannot make a key or certificate: {0}")]
    Generate(#[from] rcgen::Error),
    #[error("the key that was made cannot be read again: {0}")]
    OddKey(String),
    #[error("the system has no random numbers")]
    Random,
}
