//! The core that is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{PageArguments, Place};
use super::error::AdminError;
use crate::cli::Configured;
use crate::config::section::{CertificateFiles, CoreAddress, RemoteCore};
use crate::config::{self, Secret};
use crate::core_client::{Client, ClientError, Page};

/// A core, and how to speak of it.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) client: Arc<Client>,
    address: CoreAddress,
}

impl Core {
    /// The core that the arguments name, or the configuration. Nothing is asked yet.
    pub(super) fn find(place: &Place) -> Result<Self, AdminError> {
        let address = address(place)?;
        Ok(Self { client: Arc::new(Client::new(address.clone())), address })
    }

    /// Its socket, or its URL.
    pub(super) fn name(&self) -> String {
        self.address.to_string()
    }

    /// Says what is wrong, and what to do here.
    pub(super) fn explain<T>(&self, answer: Result<T, ClientError>) -> Result<T, AdminError> {
        answer.map_err(|error| AdminError::of(error, &self.address))
    }
}

impl From<&PageArguments> for Page {
    fn from(arguments: &PageArguments) -> Self {
        Self { limit: Some(arguments.limit), after: arguments.after.clone() }
    }
}

fn address(place: &Place) -> Result<CoreAddress, AdminError> {
    let Place { socket, core, sslkey_file, sslkey_pass_file, ca, config } = place;
    let usage = |words: &str| Err(AdminError::Usage(words.to_owned()));
    if [socket.is_some(), core.is_some(), config.is_some()].iter().filter(|set| **set).count() > 1 {
        return usage("--socket, --core and --config each name a core; give one of them");
    }
    if core.is_none() && (sslkey_file.is_some() || sslkey_pass_file.is_some() || ca.is_some()) {
        return usage("--sslkey-file, --sslkey-pass-file and --ca belong to --core URL");
    }
    if sslkey_file.is_none() && sslkey_pass_file.is_some() {
        return usage("--sslkey-pass-file belongs to --sslkey-file");
    }
    match (socket, core) {
        (Some(path), _) => Ok(CoreAddress::Unix(path.clone())),
        (None, Some(url)) => match url.parse() {
            Ok(CoreAddress::Https(core)) => Ok(CoreAddress::Https(RemoteCore {
                client: sslkey_file.as_ref().map(|file| files(file, sslkey_pass_file.as_ref())),
                ca_file: ca.clone(),
                ..core
            })),
            Ok(CoreAddress::Unix(_)) => {
                usage("--core takes https://HOST:PORT; a socket is --socket PATH")
            }
            Err(fault) => Err(AdminError::Usage(format!("--core {fault}"))),
        },
        (None, None) => {
            let configured = Configured { config: config.clone() };
            let loaded = config::load(configured.path().as_deref())?;
            Ok(loaded.settings.front.core)
        }
    }
}

fn files(key: &Path, pass: Option<&PathBuf>) -> CertificateFiles {
    CertificateFiles {
        key: key.to_owned(),
        certificate: key.to_owned(),
        key_pass: pass.cloned().map(Secret::file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(place: Place) -> Result<String, String> {
        address(&place).map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_core_is_named_once_and_keys_belong_to_those_elsewhere() {
        let none = Place::default;
        let (socket, file) = (Some("/run/c.sock".into()), Some("client.pem".into()));
        let core = |url: &str| Some(url.to_owned());
        assert_eq!(of(Place { socket: socket.clone(), ..none() }), Ok("/run/c.sock".into()));
        let place =
            Place { core: core("https://Core.example"), sslkey_file: file.clone(), ..none() };
        assert_eq!(of(place), Ok("https://core.example:237".into()));
        for (place, words) in [
            (
                Place { socket: socket.clone(), core: core("https://c"), ..none() },
                "give one of them",
            ),
            (Place { socket, ca: file.clone(), ..none() }, "belong to --core"),
            (
                Place { core: core("https://c"), sslkey_pass_file: file, ..none() },
                "belongs to --sslkey-file",
            ),
            (Place { core: core("unix:/run/c.sock"), ..none() }, "--socket PATH"),
            (Place { core: core("http://c"), ..none() }, "--core is not"),
        ] {
            let said = of(place).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
