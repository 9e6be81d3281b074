//! Unsupported formats of keys, by name, and the command that converts each of them.

use std::fmt;
use std::path::Path;

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use secrecy::ExposeSecret as _;
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo, X509Certificate};

use super::encryption::Encryption;
use crate::pki::file::pem::{Block, ENCRYPTED_PRIVATE_KEY};

/// What a file is, that a key or certificate in PEM was expected in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsupportedFormat {
    /// A PEM key encrypted by its header (`Proc-Type: 4,ENCRYPTED`).
    OldEncryption,
    /// PKCS#8, encrypted otherwise than by PBES2 with AES or 3DES; the scheme.
    Encryption(String),
    Dsa,
    /// A key in the format of OpenSSH.
    OpenSsh,
    /// A PKCS#12 file (RFC 7292): `.p12`, `.pfx`.
    Pkcs12,
    /// A private key in DER.
    DerKey,
    /// A public key in DER.
    DerPublicKey,
    /// A certificate in DER: `.cer`, `.crt`, `.der`.
    DerCertificate,
}

impl UnsupportedFormat {
    /// Whether this block is a private key in a format that is not read here.
    pub fn of_block(block: &Block) -> Option<Self> {
        if block.encrypted_by_header {
            return Some(Self::OldEncryption);
        }
        match &*block.label {
            "OPENSSH PRIVATE KEY" => Some(Self::OpenSsh),
            "DSA PRIVATE KEY" => Some(Self::Dsa),
            ENCRYPTED_PRIVATE_KEY => match Encryption::of(block.der.expose_secret()) {
                Ok(Encryption::Unsupported(scheme)) => Some(Self::Encryption(scheme)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a file without any PEM is, where it is something known.
    pub fn of_file(file: &[u8]) -> Option<Self> {
        if X509Certificate::from_der(file).is_ok() {
            return Some(Self::DerCertificate);
        }
        if PrivateKeyInfoRef::try_from(file).is_ok()
            || EncryptedPrivateKeyInfoRef::try_from(file).is_ok()
        {
            return Some(Self::DerKey);
        }
        if SubjectPublicKeyInfo::from_der(file).is_ok() {
            return Some(Self::DerPublicKey);
        }
        by_version(file).ok().flatten()
    }

    /// What is to be done about it, as the second half of a sentence.
    pub fn mend(&self, path: &Path) -> String {
        let path = path.display();
        match self {
            Self::OldEncryption | Self::Encryption(_) => {
                format!("convert it with `openssl pkcs8 -topk8 -in {path} -out KEY.pem`")
            }
            Self::Dsa => "TLS no longer accepts such keys: make a new key and certificate, with `doorward cert` or with your CA".to_owned(),
            Self::OpenSsh => format!(
                "convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`, or make a new key: {path} is a key for ssh"
            ),
            Self::Pkcs12 => format!("convert it with `openssl pkcs12 -in {path} -out KEY.pem`"),
            Self::DerKey => {
                format!("convert it with `openssl pkey -inform DER -in {path} -out KEY.pem`")
            }
            Self::DerPublicKey => {
                format!("convert it with `openssl pkey -pubin -inform DER -in {path} -out NAME-public.pem`")
            }
            Self::DerCertificate => {
                format!("convert it with `openssl x509 -inform DER -in {path} -out CERT.pem`")
            }
        }
    }
}

impl fmt::Display for UnsupportedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldEncryption => {
                f.write_str("encrypted in an old format (Proc-Type: 4,ENCRYPTED)")
            }
            Self::Encryption(scheme) => write!(f, "encrypted by {scheme}, which is not supported"),
            Self::Dsa => f.write_str("a DSA key"),
            Self::OpenSsh => f.write_str("in the format of OpenSSH"),
            Self::Pkcs12 => f.write_str("in a PKCS#12 file (.p12, .pfx), not in PEM"),
            Self::DerKey => f.write_str("a private key in DER, not in PEM"),
            Self::DerPublicKey => f.write_str("a public key in DER, not in PEM"),
            Self::DerCertificate => f.write_str("a certificate in DER, not in PEM"),
        }
    }
}

/// PFX (version 3, then a sequence), ECPrivateKey (version 1, then octets) and
/// RSAPrivateKey (version 0, then the modulus) differ in their first two items.
fn by_version(file: &[u8]) -> pkcs8::der::Result<Option<UnsupportedFormat>> {
    let outer = AnyRef::from_der(file)?;
    if outer.tag() != Tag::Sequence {
        return Ok(None);
    }
    let mut items = SliceReader::new(outer.value())?;
    let version: u8 = items.decode()?;
    let second: AnyRef<'_> = items.decode()?;
    Ok(match (version, second.tag()) {
        (3, Tag::Sequence) => Some(UnsupportedFormat::Pkcs12),
        (1, Tag::OctetString) | (0, Tag::Integer) => Some(UnsupportedFormat::DerKey),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::testing::{Folder, key};
    use crate::pki::{KeyError, KeySource, PrivateKey};

    fn read(folder: &Folder, name: &str) -> Result<PrivateKey, KeyError> {
        let path = folder.path(name);
        let pass = crate::config::Secret::text("sesame".to_owned());
        let source = KeySource { path: Path::new(&path), pass: Some(&pass), pass_setting: "it" };
        PrivateKey::read(&source, &folder.read(name))
    }

    /// Refuses the file, and reads what the named command makes of it.
    #[track_caller]
    fn refused_and_converted(folder: &Folder, name: &str) -> String {
        let said = read(folder, name).unwrap_err().to_string();
        let command = said.split('`').nth(1).unwrap();
        assert!(command.starts_with("openssl "), "{said}");
        let phrases: &[&str] = match command.split(' ').nth(1).unwrap() {
            "pkey" => &["-passin", "pass:sesame"],
            _ => &["-passin", "pass:sesame", "-passout", "pass:sesame"],
        };
        let words: Vec<_> = command.split(' ').skip(1).chain(phrases.iter().copied()).collect();
        folder.openssl(&words);
        read(folder, "KEY.pem").unwrap();
        said
    }

    #[test]
    fn the_command_that_is_named_makes_a_file_that_is_read() {
        let folder = Folder::new();
        key(&folder, "RSA", "rsa_keygen_bits:2048");
        let old = ["rsa", "-in", "key.pem", "-traditional", "-passout", "pass:sesame"];
        folder.openssl(&[&old[..], &["-aes128", "-out", "old.pem"]].concat());
        let said = refused_and_converted(&folder, "old.pem");
        assert!(said.contains("is encrypted in an old format"), "{said}");

        for scheme in [&["-v1", "PBE-SHA1-3DES"], &["-v2", "camellia-128-cbc"]] {
            folder.write("scheme.pem", &folder.encrypted("key.pem", scheme));
            let said = refused_and_converted(&folder, "scheme.pem");
            assert!(said.contains("which is not supported"), "{said}");
        }

        let request = ["req", "-x509", "-key", "key.pem", "-subj", "/CN=a", "-out", "cert.pem"];
        folder.openssl(&request);
        let export = ["pkcs12", "-export", "-inkey", "key.pem", "-in", "cert.pem"];
        folder.openssl(&[&export[..], &["-out", "both.p12", "-passout", "pass:sesame"]].concat());
        let said = refused_and_converted(&folder, "both.p12");
        assert!(said.contains("PKCS#12"), "{said}");

        for form in [&["pkcs8", "-topk8", "-nocrypt"][..], &["rsa", "-traditional"]] {
            let rest = ["-in", "key.pem", "-outform", "DER", "-out", "key.der"];
            folder.openssl(&[form, &rest].concat());
            let said = refused_and_converted(&folder, "key.der");
            assert!(said.contains("a private key in DER"), "{said}");
        }
        folder.openssl(&["ecparam", "-genkey", "-name", "prime256v1", "-out", "ec.pem"]);
        folder.openssl(&["ec", "-in", "ec.pem", "-outform", "DER", "-out", "ec.der"]);
        refused_and_converted(&folder, "ec.der");
    }

    #[test]
    fn keys_that_no_command_converts_are_named() {
        let folder = Folder::new();
        folder.openssl(&["dsaparam", "-genkey", "-out", "dsa.pem", "1024"]);
        folder.openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "dsa.pem", "-out", "dsa8.pem"]);
        folder.write("ssh.pem", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n");
        for (name, words) in
            [("dsa.pem", "is a DSA key"), ("dsa8.pem", "DSA"), ("ssh.pem", "OpenSSH")]
        {
            let said = read(&folder, name).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn other_der_is_told_apart() {
        let folder = Folder::new();
        key(&folder, "EC", "ec_paramgen_curve:P-256");
        let der = ["-outform", "DER"];
        let request = ["req", "-x509", "-key", "key.pem", "-subj", "/CN=a"];
        let certificate = folder.openssl(&[&request[..], &der].concat());
        assert_eq!(
            UnsupportedFormat::of_file(&certificate),
            Some(UnsupportedFormat::DerCertificate)
        );
        let public = folder.openssl(&[&["pkey", "-in", "key.pem", "-pubout"], &der[..]].concat());
        assert_eq!(UnsupportedFormat::of_file(&public), Some(UnsupportedFormat::DerPublicKey));
        for nothing in [&b""[..], b"text", &[0x30, 0x80], &[0x30, 0x03, 0x02, 0x01, 0x03]] {
            assert_eq!(UnsupportedFormat::of_file(nothing), None);
        }
    }
}
