//! `doorward cert server` and `doorward cert client`: key and certificate.

use std::fs;
use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair, PublicKeyData as _, SanType};
use secrecy::{ExposeSecret as _, SecretString};

use super::Validity;
use super::authority::Authority;
use super::material::{new_key, serial};
use super::renewal::{Purpose, Renewal};
use crate::cli::cert::arguments::{ClientArguments, ServerArguments, SignedArguments, days};
use crate::cli::cert::error::CertError;
use crate::cli::cert::files::{absent, put, renew};
use crate::cli::cert::issue;
use crate::cli::cert::passphrase::PassPhrase;
use crate::cli::cert::report::{Report, Verb};
use crate::clock::Timestamp;
use crate::pki::PublicKey;
use crate::pki::file::pem;
use crate::pki::file::write::Readers;

/// Makes or renews a server's key and certificate, and says what.
pub(in crate::cli::cert) fn server(
    arguments: &ServerArguments,
    now: Timestamp,
) -> Result<Report, CertError> {
    let ServerArguments { name, san, signed, .. } = arguments;
    issue::file_name(name, "server")?;
    let given = given_names(name, san)?;
    let authority = authority(signed)?;
    let pair = Pair::obtain(name, signed, Purpose::Server)?;
    let names = match &pair.renewal {
        Some(renewal) if san.is_empty() && !renewal.names.is_empty() => renewal.names.clone(),
        _ => given,
    };
    let validity = Validity::new(now, days(arguments.days), Some(authority.ends_at));
    let algorithm = pair.public.algorithm();
    let parameters = issue::server(name, names.clone(), algorithm, validity, serial()?);
    let text = pair.certified(&authority, &parameters, now)?;
    let mut told = Report::about(&signed.making.dir);
    warn_when_cut(&mut told, validity, now, arguments.days);
    let verb = pair.write(&text)?;
    let what = format!(
        "key ({algorithm}, {}) and certificate of the server {}, until {}",
        pair.key_words,
        words(&names),
        validity.until
    );
    told.file(verb, &pair.path, what, if verb == Verb::Made { SERVER_GOES } else { SERVER_AGAIN });
    Ok(told)
}

/// Makes or renews a service's key and certificate, and says what.
pub(in crate::cli::cert) fn client(
    arguments: &ClientArguments,
    now: Timestamp,
) -> Result<Report, CertError> {
    let ClientArguments { name, signed, .. } = arguments;
    issue::file_name(name, "client")?;
    let public_path = signed.making.dir.join(format!("{name}-public.pem"));
    if !signed.making.renew {
        absent(&path_of(name, signed))?;
        absent(&public_path)?;
    }
    let authority = authority(signed)?;
    let pair = Pair::obtain(name, signed, Purpose::Client)?;
    let validity = Validity::new(now, days(arguments.days), Some(authority.ends_at));
    let text = pair.certified(&authority, &issue::client(name, validity, serial()?), now)?;
    let mut told = Report::about(&signed.making.dir);
    warn_when_cut(&mut told, validity, now, arguments.days);
    let verb = pair.write(&text)?;
    let what = format!(
        "key ({}, {}) and certificate of the service {name}, until {}",
        pair.public.algorithm(),
        pair.key_words,
        validity.until
    );
    let fingerprint = pair.public.fingerprint();
    if verb == Verb::Renewed {
        told.file(verb, &pair.path, what, CLIENT_AGAIN);
        return Ok(told);
    }
    told.file(verb, &pair.path, what, CLIENT_GOES);
    put(&public_path, pair.public.to_pem().as_bytes(), Readers::Everybody).inspect_err(|_| {
        // Half a pair is none; the error tells what went wrong.
        let _ = fs::remove_file(&pair.path);
    })?;
    let what = format!("its public key, SHA-256 {fingerprint}");
    told.file(verb, &public_path, what, PUBLIC_GOES);
    Ok(told)
}

/// A key, new or renewed, and the file that it goes to with its certificate.
struct Pair {
    path: PathBuf,
    key: KeyPair,
    key_text: SecretString,
    key_words: &'static str,
    public: PublicKey,
    /// What is in the file, where it is to be renewed.
    renewal: Option<Renewal>,
}

impl Pair {
    fn obtain(
        name: &str,
        arguments: &SignedArguments,
        purpose: Purpose,
    ) -> Result<Self, CertError> {
        let path = path_of(name, arguments);
        let pass = PassPhrase::of_key(&arguments.pass)?;
        if arguments.making.renew {
            let renewal = Renewal::read(&path, purpose, &pass)?;
            return Ok(Self {
                path,
                key: KeyPair::try_from(renewal.key.der().expose_secret())?,
                key_text: renewal.key_text.clone(),
                key_words: renewal.words(),
                public: renewal.key.public().clone(),
                renewal: Some(renewal),
            });
        }
        absent(&path)?;
        let (key, key_text) = new_key(arguments.making.rsa, &pass)?;
        let public = PublicKey::from_spki(&key.subject_public_key_info());
        let public = public.map_err(CertError::OddKey)?;
        Ok(Self { path, key, key_text, key_words: pass.words(), public, renewal: None })
    }

    /// The whole file: key, certificate, chain.
    fn certified(
        &self,
        authority: &Authority,
        parameters: &CertificateParams,
        now: Timestamp,
    ) -> Result<SecretString, CertError> {
        let certificate = authority.sign(parameters, &self.key, now)?;
        let certificates: String = std::iter::once(&certificate)
            .chain(&authority.chain)
            .map(|der| pem::encode(pem::CERTIFICATE, der))
            .collect();
        Ok([self.key_text.expose_secret(), &certificates].concat().into())
    }

    fn write(&self, text: &SecretString) -> Result<Verb, CertError> {
        let bytes = text.expose_secret().as_bytes();
        if self.renewal.is_some() {
            renew(&self.path, bytes, Readers::Owner)?;
            return Ok(Verb::Renewed);
        }
        put(&self.path, bytes, Readers::Owner)?;
        Ok(Verb::Made)
    }
}

fn path_of(name: &str, arguments: &SignedArguments) -> PathBuf {
    arguments.making.dir.join(format!("{name}.pem"))
}

fn authority(arguments: &SignedArguments) -> Result<Authority, CertError> {
    let folder = arguments.ca.as_ref().unwrap_or(&arguments.making.dir);
    Authority::open(folder, &PassPhrase::of_authority(arguments)?)
}

/// The name and the further ones, each once.
fn given_names(name: &str, further: &[String]) -> Result<Vec<SanType>, CertError> {
    let mut names = Vec::new();
    for name in std::iter::once(name).chain(further.iter().map(String::as_str)) {
        let name = issue::host(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn warn_when_cut(told: &mut Report, validity: Validity, now: Timestamp, wanted: u32) {
    if validity.until < now.plus(days(wanted)) {
        told.warn(format!(
            "the certificate ends with its CA, {}, before {wanted} days have passed; renew the CA with `doorward cert ca --renew`",
            validity.until
        ));
    }
}

fn words(names: &[SanType]) -> String {
    let word = |name: &SanType| match name {
        SanType::IpAddress(address) => address.to_string(),
        SanType::DnsName(name) => name.as_str().to_owned(),
        _ => "another name".to_owned(),
    };
    names.iter().map(word).collect::<Vec<_>>().join(", ")
}

const SERVER_GOES: &str = "\
Name it in server_ssl_key_file, of [front] for HTTPS, of [core] for listen_tls. Make it
readable for the user that the gateway runs as, and for nobody else. An encrypted key
also needs server_ssl_key_pass_file.";
const SERVER_AGAIN: &str = "\
Owner and key are the same. Reload the gateway (SIGHUP) to use the new certificate.";
const CLIENT_GOES: &str = "\
Give it to the service alone: whoever has it can act as the service. ZCP's programs and [front]
name it in sslkey_file, and its passphrase in sslkey_pass.";
const CLIENT_AGAIN: &str = "\
Owner and key are the same, so the public key in sslkeys_path remains valid. Put the file
where the service reads it.";
const PUBLIC_GOES: &str = "\
Copy it into the core's sslkeys_path, and say in a [[core.key]] what the service may do.
If there is no [[core.key]] at all, the key is SYSTEM and may do everything; as
soon as there is one, a key without an entry may do nothing. To lock the service out, remove
the file.";
