//! The private key, as it stands in its file or behind a pass phrase.

use std::path::Path;

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::error::TlsError;
use crate::config::Secret;
use crate::config::checked::CertificateFiles;

/// The private key of a certificate, in PKCS#8, PKCS#1 or SEC 1.
///
/// # Errors
/// There is none, or its pass phrase does not open it.
pub(super) fn private_key(
    files: &CertificateFiles,
    pem: &[u8],
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let path = &files.key;
    if is_encrypted(pem) {
        return decrypt(path, pem, files.key_pass.as_ref());
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { path: path.clone() },
        error => TlsError::damaged(path, &error),
    })
}

/// Opens a key that is encrypted by PBES2 (RFC 8018), as `openssl pkcs8 -topk8` writes it.
fn decrypt(
    path: &Path,
    pem: &[u8],
    pass: Option<&Secret>,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let Some(pass) = pass else {
        return Err(TlsError::EncryptedKey { path: path.to_owned() });
    };
    let pass =
        pass.reveal().map_err(|source| TlsError::PassPhrase { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(pem);
    let start =
        text.find(ENCRYPTED).ok_or_else(|| TlsError::OldEncryption { path: path.to_owned() })?;
    let opened = SecretDocument::from_pem(&text[start..])
        .map_err(|error| error.to_string())
        .and_then(|(_, document)| {
            EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                .map_err(|error| error.to_string())?
                .decrypt(pass)
                .map_err(|error| error.to_string())
        })
        .map_err(|fault| TlsError::Undecipherable { path: path.to_owned(), fault })?;
    Ok(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into())
}

/// Both ways in which PEM says so: PKCS#8 (RFC 5958 section 3) and the older one of OpenSSL.
fn is_encrypted(pem: &[u8]) -> bool {
    [ENCRYPTED.as_bytes(), b"Proc-Type: 4,ENCRYPTED"]
        .iter()
        .any(|sign| pem.windows(sign.len()).any(|window| window == *sign))
}

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::tls::testing::{files, openssl, pair};
    use std::fs;

    /// A key, and the same key behind the pass phrase `sesame`.
    fn keys(folder: &Path, encrypt: &[&str]) -> (Vec<u8>, Vec<u8>) {
        let (key, _) = pair(folder, "web");
        let encrypted = folder.join("encrypted.pem");
        let paths = ["-in", key.to_str().unwrap(), "-out", encrypted.to_str().unwrap()];
        openssl(&[encrypt, &paths, &["-passout", "pass:sesame"]].concat());
        (fs::read(key).unwrap(), fs::read(encrypted).unwrap())
    }

    fn read(pem: &[u8], pass: Option<&str>) -> Result<PrivateKeyDer<'static>, TlsError> {
        let path = Path::new("/etc/doorward/key.pem");
        private_key(&files(path, path, pass), pem)
    }

    #[test]
    fn an_encrypted_key_is_opened_with_its_pass_phrase() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, encrypted) = keys(folder.path(), &["pkcs8", "-topk8"]);
        assert_eq!(read(&encrypted, Some("sesame")).unwrap(), read(&plain, None).unwrap());
        let behind_text = [b"friendlyName: web\n", &encrypted[..]].concat();
        assert!(read(&behind_text, Some("sesame")).is_ok());
    }

    #[test]
    fn the_error_names_the_file_and_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let (_, encrypted) = keys(folder.path(), &["pkcs8", "-topk8"]);
        let (_, old) = keys(folder.path(), &["ec", "-aes128"]);
        let broken = "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n";
        for (pem, pass, words) in [
            (&encrypted[..], None, "is encrypted; set server_ssl_key_pass, or decrypt it with"),
            (&encrypted, Some("guess"), "cannot be opened with the pass phrase"),
            (&old, None, "is encrypted; set server_ssl_key_pass, or decrypt it with"),
            (&old, Some("sesame"), "is encrypted in an old format; convert it with"),
            (b"", None, "holds no private key"),
            (broken.as_bytes(), None, "is damaged"),
        ] {
            let fault = read(pem, pass).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
            assert!(fault.contains("/etc/doorward/key.pem"), "{fault}");
        }
    }
}
