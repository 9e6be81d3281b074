//! `doorward cert show`: explains a file.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Serialize;

use self::block::Entry;
use super::arguments::ShowArguments;
use super::error::CertError;
use super::passphrase::PassPhrase;
use crate::clock::Timestamp;
use crate::pki::KeySource;
use crate::pki::file::key::unsupported_formats::UnsupportedFormat;
use crate::pki::file::pem;

mod ago;
mod block;
mod text;

/// Explains a file on standard output.
///
/// Exit code 0: nothing stands against its use; 1: something does, and is said.
pub(super) fn run(arguments: &ShowArguments, now: Timestamp) -> ExitCode {
    let explained = match explain(arguments, now) {
        Ok(explained) => explained,
        Err(error) => {
            eprintln!("doorward: {error}");
            return ExitCode::FAILURE;
        }
    };
    let text = if arguments.json {
        // Strings, numbers and lists of them always make JSON.
        serde_json::to_string_pretty(&explained).unwrap_or_default() + "\n"
    } else {
        text::of(&explained, now)
    };
    // A reader that has gone away changes nothing about the file.
    let _ = io::stdout().write_all(text.as_bytes());
    if explained.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is to be told about a file.
#[derive(Debug, Serialize)]
struct Explained {
    file: String,
    /// Its blocks in their order.
    blocks: Vec<Entry>,
    /// What stands against its use, and what fixes it.
    problems: Vec<String>,
}

fn explain(arguments: &ShowArguments, now: Timestamp) -> Result<Explained, CertError> {
    let path = &arguments.file;
    let failed = |source| CertError::Read { path: path.clone(), source };
    let bytes = SecretSlice::from(fs::read(path).map_err(failed)?);
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    let pass = PassPhrase::of_key(&arguments.pass)?;
    let source = KeySource { path, pass: pass.secret.as_ref(), pass_setting: pass.options };
    Ok(of_bytes(&source, bytes.expose_secret(), mode, now))
}

fn of_bytes(source: &KeySource<'_>, bytes: &[u8], mode: u32, now: Timestamp) -> Explained {
    let path = source.path;
    let file = path.display().to_string();
    let blocks = match pem::blocks(bytes) {
        Ok(blocks) => blocks,
        Err(fault) => {
            return Explained { file, blocks: Vec::new(), problems: vec![fault.to_string()] };
        }
    };
    let mut problems = Vec::new();
    let mut entries: Vec<_> =
        blocks.iter().map(|block| Entry::of(source, block, now, &mut problems)).collect();
    if entries.is_empty() {
        problems.push(nothing(path, bytes));
    }
    block::pair(&mut entries, &mut problems);
    if entries.iter().any(|entry| entry.is_private_key()) && mode & 0o007 != 0 {
        problems.push(format!(
            "everybody may use the private key (mode {:04o}): chmod o= {}",
            mode & 0o7777,
            path.display()
        ));
    }
    Explained { file, blocks: entries, problems }
}

fn nothing(path: &Path, bytes: &[u8]) -> String {
    match UnsupportedFormat::of_file(bytes) {
        Some(foreign) => format!("this is {foreign}; {}", foreign.mend(path)),
        None => "it contains no PEM (-----BEGIN …-----)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::pki::testing::{Folder, key};

    /// A folder with `key.pem` and a certificate of it, `cert.pem`, made by OpenSSL.
    fn pair() -> Folder {
        let folder = Folder::new();
        key(&folder, "EC", "ec_paramgen_curve:P-256");
        let names = "subjectAltName=DNS:web.example,IP:192.0.2.1";
        let request = ["req", "-x509", "-key", "key.pem", "-subj", "/CN=web\nx", "-days", "10"];
        folder.openssl(&[&request[..], &["-addext", names, "-out", "cert.pem"]].concat());
        folder
    }

    fn shown(bytes: &[u8], pass: Option<&str>, mode: u32, now: Timestamp) -> Explained {
        let pass = pass.map(|pass| Secret::text(pass.to_owned()));
        let path = Path::new("/etc/doorward/web.pem");
        let source = KeySource { path, pass: pass.as_ref(), pass_setting: "--pass-file" };
        of_bytes(&source, bytes, mode, now)
    }

    fn now() -> Timestamp {
        crate::clock::now()
    }

    #[test]
    fn a_pair_is_explained_with_the_fingerprints_that_openssl_prints() {
        let folder = pair();
        let both = [folder.read("cert.pem"), folder.read("key.pem")].concat();
        let shown = shown(&both, None, 0o100_600, now());
        assert_eq!(shown.problems, [] as [&str; 0]);
        let hour = std::time::Duration::from_secs(60 * 60);
        let text = text::of(&shown, now().plus(hour));
        let print =
            folder.openssl(&["x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256"]);
        let print = String::from_utf8(print).unwrap();
        let (_, print) = print.trim().split_once('=').unwrap();
        for words in [
            "block 1, line 1: CERTIFICATE",
            "names        web.example, 192.0.2.1",
            "(ends in 9 days)",
            "ECDSA P-256",
            "belongs to   block 1",
            print,
        ] {
            assert!(text.contains(words), "{words} is missing in\n{text}");
        }
        assert!(!text.contains("web\nx"), "control characters are not printed\n{text}");
    }

    #[test]
    fn what_stands_against_its_use_is_said() {
        let folder = pair();
        let (certificate, own) = (folder.read("cert.pem"), folder.read("key.pem"));
        key(&folder, "RSA", "rsa_keygen_bits:1024");
        let (short, other) = (folder.read("key.pem"), pair().read("key.pem"));
        let later = now().plus(std::time::Duration::from_secs(13 * 24 * 60 * 60));
        let mismatch = [&certificate[..], &other].concat();
        for (bytes, mode, now, words) in [
            (&certificate[..], 0o644, later, "expired 3 days ago"),
            (&certificate, 0o644, Timestamp::from_unix(1), "is not valid before"),
            (&mismatch, 0o600, now(), "does not belong to any certificate in this file"),
            (&short, 0o600, now(), "is RSA of 1024 bits"),
            (&own, 0o644, now(), "everybody may use the private key (mode 0644)"),
            (b"", 0o600, now(), "contains no PEM"),
            (b"-----BEGIN CERTIFICATE-----\n", 0o600, now(), "has no end"),
        ] {
            let problems = shown(bytes, None, mode, now).problems;
            assert!(matches!(&problems[..], [only] if only.contains(words)), "{problems:?}");
        }
    }

    #[test]
    fn an_encrypted_key_is_compared_when_its_pass_phrase_is_given() {
        let folder = pair();
        let both = [folder.encrypted("key.pem", &[]), folder.read("cert.pem")].concat();
        let closed = shown(&both, None, 0o600, now());
        assert_eq!(closed.problems, [] as [&str; 0]);
        let text = text::of(&closed, now());
        assert!(text.contains("encrypted    PBES2: AES-256-CBC; PBKDF2"), "{text}");
        assert!(text.contains("use the passphrase (--pass-file, --pass-env)"), "{text}");
        let open = shown(&both, Some("sesame"), 0o600, now());
        assert!(text::of(&open, now()).contains("belongs to   block 2"));
        let wrong = shown(&both, Some("guess"), 0o600, now());
        assert!(wrong.problems[0].contains("cannot be opened"), "{:?}", wrong.problems);
    }

    #[test]
    fn programs_get_the_same_in_json() {
        let folder = pair();
        let both = [folder.read("key.pem"), folder.read("cert.pem")].concat();
        let json = serde_json::to_value(shown(&both, None, 0o600, now())).unwrap();
        assert_eq!(json["blocks"][0]["label"], "PRIVATE KEY");
        assert_eq!(json["blocks"][0]["belongs_to"], 2);
        assert_eq!(json["blocks"][1]["names"][1], "192.0.2.1");
        assert_eq!(json["blocks"][0]["key_sha256"], json["blocks"][1]["key_sha256"]);
        assert_eq!(json["problems"].as_array().unwrap().len(), 0);
    }
}
