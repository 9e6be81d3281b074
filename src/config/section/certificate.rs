//! Keys and certificates as files, wherever they are named.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;

use crate::config::reading::{Diagnostics, Located, Location};
use crate::config::secret::Secret;
use crate::config::surroundings::Surroundings;
use crate::config::value_types::SecretText;

/// `server_ssl_key_file` and `server_ssl_cert_file`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// PEM file with the private key.
    pub key: PathBuf,
    /// PEM file with certificate and chain; the key file itself where it holds both.
    pub certificate: PathBuf,
    /// Passphrase of the key, where it is encrypted.
    pub key_pass: Option<Secret>,
}

/// `server_ssl_ca_file`, `server_ssl_ca_path` and `crl_file` of `[core]`, or
/// `client_ssl_ca_file`, `client_ssl_ca_path` and `crl_file` of `[front]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuthorityFiles {
    /// A PEM file with certificates of authorities.
    pub ca_file: Option<PathBuf>,
    /// A folder of such files.
    pub ca_path: Option<PathBuf>,
    /// A PEM file with the lists of revoked certificates: of every authority
    /// between a certificate and its root.
    pub crl_file: Option<PathBuf>,
}

/// The keys of a section that name one private key and what belongs to it.
pub(in crate::config) struct KeyPair<'a> {
    /// The section, for complaints.
    pub(in crate::config) section: &'a str,
    /// The key's name, and the file of the private key.
    pub(in crate::config) key: (&'a str, &'a Located<Option<PathBuf>>),
    /// The file of the certificate, where it may be another one.
    pub(in crate::config) certificate: Option<&'a Located<Option<PathBuf>>>,
    /// The passphrase,
    pub(in crate::config) pass: &'a Located<SecretText>,
    /// or the file that it is in.
    pub(in crate::config) pass_file: &'a Located<Option<PathBuf>>,
}

impl KeyPair<'_> {
    /// The files, where there are any. What goes with a key and has none is noted.
    pub(super) fn files(
        &self,
        surroundings: &Surroundings,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<CertificateFiles> {
        let key_pass = self.key_pass(surroundings, diagnostics);
        let (name, key) = self.key;
        let certificate = self.certificate.and_then(|given| given.value.as_ref());
        let Some(key) = &key.value else {
            let dependents = [
                self.certificate.filter(|_| certificate.is_some()).map(|given| &given.at),
                self.pass_file.value.as_ref().map(|_| &self.pass_file.at),
                (!self.pass.0.expose_secret().is_empty()).then_some(&self.pass.at),
            ];
            for at in dependents.into_iter().flatten() {
                diagnostics.error(at, format!("needs a private key; set {}.{name}", self.section));
            }
            return None;
        };
        let certificate = certificate.unwrap_or(key).clone();
        Some(CertificateFiles { key: key.clone(), certificate, key_pass })
    }

    fn key_pass(
        &self,
        surroundings: &Surroundings,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Secret> {
        match (self.pass.0.expose_secret(), &self.pass_file.value) {
            ("", file) => file.clone().map(Secret::file),
            (_, Some(_)) => {
                let sentence = format!(
                    "cannot be set together with {}; remove one of them",
                    self.pass_file.at.key
                );
                diagnostics.error(&self.pass.at, sentence);
                None
            }
            (secret, None) => secret_of(secret, &self.pass.at, surroundings, diagnostics),
        }
    }
}

/// A secret that is in the file, or in the environment variable that the file names.
fn secret_of(
    written: &str,
    at: &Location,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Secret> {
    let Some(variable) = written.strip_prefix('$') else {
        return Some(Secret::text(written));
    };
    let Some(value) = surroundings.environment.get(variable) else {
        // The text may be a secret that happens to begin so: it is not repeated.
        diagnostics.error(at, "begins with $, but there is no such environment variable; set it, or put the secret into a file beside");
        return None;
    };
    Some(Secret::text(value.as_str()))
}
