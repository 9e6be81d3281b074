//! `doorward cert ca`: makes the CA, or renews its certificate.

use std::fs;

use secrecy::ExposeSecret as _;

use super::Validity;
use super::authority::{self, Authority};
use super::material::{new_key, serial};
use crate::cli::cert::arguments::{CaArguments, days};
use crate::cli::cert::error::CertError;
use crate::cli::cert::files::{absent, put, renew};
use crate::cli::cert::issue;
use crate::cli::cert::passphrase::PassPhrase;
use crate::cli::cert::report::{Report, Verb};
use crate::clock::Timestamp;
use crate::pki::file::pem;
use crate::pki::file::write::Readers;

/// Makes or renews, and says what.
pub(in crate::cli::cert) fn run(
    arguments: &CaArguments,
    now: Timestamp,
) -> Result<Report, CertError> {
    let pass = PassPhrase::of_key(&arguments.pass)?;
    let validity = Validity::new(now, days(arguments.days), None);
    if arguments.making.renew {
        return again(arguments, &pass, validity);
    }
    let folder = &arguments.making.dir;
    let (certificate_path, key_path) = authority::paths(folder);
    absent(&key_path)?;
    absent(&certificate_path)?;
    let name = arguments.name.clone().unwrap_or_else(default_name);
    issue::authority_name(&name)?;
    let (key, key_text) = new_key(arguments.making.rsa, &pass)?;
    let parameters = issue::authority(issue::common_name(&name), validity, serial()?);
    let certificate = parameters.self_signed(&key)?;
    put(&key_path, key_text.expose_secret().as_bytes(), Readers::Owner)?;
    put(&certificate_path, certificate.pem().as_bytes(), Readers::Everybody).inspect_err(|_| {
        // Half a CA is none; the error tells what went wrong.
        let _ = fs::remove_file(&key_path);
    })?;
    let mut told = Report::about(folder);
    let what = format!("certificate of the CA \"{name}\", until {}", validity.until);
    told.file(Verb::Made, &certificate_path, what, CERTIFICATE_GOES);
    told.file(Verb::Made, &key_path, format!("its private key, {}", pass.words()), KEY_GOES);
    Ok(told)
}

fn again(
    arguments: &CaArguments,
    pass: &PassPhrase,
    validity: Validity,
) -> Result<Report, CertError> {
    let folder = &arguments.making.dir;
    let (certificate_path, key_path) = authority::paths(folder);
    let certificate = Authority::open(folder, pass)?.renewed(validity)?;
    renew(
        &certificate_path,
        pem::encode(pem::CERTIFICATE, &certificate).as_bytes(),
        Readers::Everybody,
    )?;
    let mut told = Report::about(folder);
    let what = format!("certificate of the CA, until {}", validity.until);
    told.file(Verb::Renewed, &certificate_path, what, CERTIFICATE_REPLACES);
    told.file(Verb::Kept, &key_path, "its private key".to_owned(), "");
    Ok(told)
}

fn default_name() -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    format!("Doorward CA {}", host.to_string_lossy()).trim_end().chars().take(64).collect()
}

const CERTIFICATE_GOES: &str = "\
Copy it to every host, and name it there in server_ssl_ca_file: in [core] it says whose
services are trusted, in [front] whose core is. Anybody may read it.";
const CERTIFICATE_REPLACES: &str = "\
Replace the old one wherever server_ssl_ca_file names it. Everything that it has signed remains valid.";
const KEY_GOES: &str = "\
Keep it where you make certificates, and away from the servers: whoever has it can make
certificates that your core and your fronts trust. No key of doorward.toml names it.";
