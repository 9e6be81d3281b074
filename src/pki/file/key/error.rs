//! Why a private key cannot be read.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::unsupported_formats::UnsupportedFormat;
use crate::pki::file::pem::PemError;

/// A private key that cannot be read from its file.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file is not well-formed PEM.
    #[error("{} is damaged: {fault}; export it again as PEM", path.display())]
    Damaged { path: PathBuf, fault: PemError },
    /// There is no private key in the file.
    #[error("{} contains no private key in PEM (-----BEGIN PRIVATE KEY-----); name the right file", path.display())]
    NoKey { path: PathBuf },
    /// The key is in a format that is not read here.
    #[error("the private key in {path} is {format}; {mend}", path = path.display(), mend = format.mend(path))]
    UnsupportedFormat { path: PathBuf, format: UnsupportedFormat },
    /// Only a passphrase opens the key, and none was given.
    #[error("the private key in {path} is encrypted; set {pass_setting}, or decrypt it with `openssl pkey -in {path} -out KEY.pem`, and let only its user read the result", path = path.display())]
    Encrypted {
        path: PathBuf,
        /// Where the passphrase is to be given.
        pass_setting: &'static str,
    },
    /// The passphrase cannot be had.
    #[error("the passphrase for {} cannot be read: {source}; see {pass_setting}", path.display())]
    PassPhrase {
        path: PathBuf,
        /// Where it is to be given.
        pass_setting: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The passphrase does not open the key.
    #[error("the private key in {} cannot be opened with the passphrase of {pass_setting}; correct the phrase", path.display())]
    WrongPassPhrase {
        path: PathBuf,
        /// Where the passphrase was given.
        pass_setting: &'static str,
    },
    /// RSA that is too short.
    #[error("the private key in {} is RSA of {bits} bits, which can be broken: less than 2048 bits are refused (NIST SP 800-131A); make a new key and certificate, with `doorward cert` or with your CA", path.display())]
    Short {
        path: PathBuf,
        /// Bits of its modulus.
        bits: usize,
    },
    /// A key that TLS is not spoken with here.
    #[error("the private key in {} cannot be used ({fault}); use ECDSA on P-256, P-384 or P-521, RSA of 2048 to 8192 bits, or Ed25519", path.display())]
    Unusable {
        path: PathBuf,
        /// What kind of key it is, or what is wrong with it.
        fault: String,
    },
}
