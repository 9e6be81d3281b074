//! Passphrases, from a file or from the environment. The program never asks for one.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::arguments::{PassArguments, SignedArguments};
use super::error::CertError;
use crate::config::Secret;

/// Where a passphrase comes from, and the options that say so.
#[derive(Debug)]
pub(super) struct PassPhrase {
    /// The passphrase, where one is given; never empty.
    pub(super) secret: Option<Secret>,
    /// The options, for messages.
    pub(super) options: &'static str,
}

impl PassPhrase {
    /// That of the key which is made or renewed.
    pub(super) fn of_key(arguments: &PassArguments) -> Result<Self, CertError> {
        let PassArguments { pass_file, pass_env } = arguments;
        Self::from(pass_file.as_ref(), pass_env.as_deref(), "--pass-file or --pass-env")
    }

    /// That of the CA's key.
    pub(super) fn of_authority(arguments: &SignedArguments) -> Result<Self, CertError> {
        let SignedArguments { ca_pass_file, ca_pass_env, .. } = arguments;
        let options = "--ca-pass-file or --ca-pass-env";
        Self::from(ca_pass_file.as_ref(), ca_pass_env.as_deref(), options)
    }

    /// Whether the key is encrypted, in words.
    pub(super) const fn words(&self) -> &'static str {
        if self.secret.is_some() { "encrypted" } else { "not encrypted" }
    }

    /// The phrase itself, to encrypt a key with.
    pub(super) fn read(&self) -> Result<Option<SecretString>, CertError> {
        let Some(secret) = &self.secret else { return Ok(None) };
        secret
            .read()
            .map(Some)
            .map_err(|source| CertError::PassPhrase { options: self.options, source })
    }

    fn from(
        file: Option<&PathBuf>,
        variable: Option<&str>,
        options: &'static str,
    ) -> Result<Self, CertError> {
        let secret = match (file, variable) {
            (Some(path), _) => Some(Secret::file(path.clone())),
            (None, Some(variable)) => {
                let missing = |_| CertError::NoVariable { variable: variable.to_owned() };
                Some(Secret::text(std::env::var(variable).map_err(missing)?))
            }
            (None, None) => None,
        };
        let pass = Self { secret, options };
        if pass.read()?.is_some_and(|phrase| phrase.expose_secret().is_empty()) {
            return Err(CertError::EmptyPassPhrase { options });
        }
        Ok(pass)
    }
}
