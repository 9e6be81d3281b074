//! PEM files (RFC 7468), block by block, in order.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use thiserror::Error;

/// One block between its BEGIN and END lines.
pub struct Block {
    /// What the BEGIN line says it is: `CERTIFICATE`, `PRIVATE KEY`, …
    pub label: String,
    /// The number of the BEGIN line, from 1.
    pub line: usize,
    /// Whether its header says `Proc-Type: 4,ENCRYPTED` (RFC 1421 section 4.6.1.1):
    /// OpenSSL's way to encrypt a key before PKCS#8.
    pub encrypted_by_header: bool,
    /// A secret, as it may be a private key.
    pub der: SecretSlice<u8>,
    /// The block as it stands, from BEGIN to END, with one line end after it.
    pub text: SecretString,
}

/// The blocks of a file. Text between them is passed over, as other programs do:
/// OpenSSL writes names and attributes there. A mark of the byte order, blanks and
/// every kind of line end are; what looks like the border of a block, and is none, is not.
///
/// # Errors
/// A block without an end or a beginning, or whose content is not base64.
pub(crate) fn blocks(file: &[u8]) -> Result<Vec<Block>, PemError> {
    let text = text(file);
    let mut blocks = Vec::new();
    let mut lines = text.expose_secret().lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(label) = label(line, BEGIN) else {
            if is_like_a_border(line) {
                return Err(PemError::Border { line: at + 1 });
            }
            continue;
        };
        let place = || (label.to_owned(), at + 1);
        let mut content = Vec::new();
        loop {
            let Some((_, line)) = lines.next().filter(|(_, line)| !line.contains(BEGIN)) else {
                let (label, line) = place();
                return Err(PemError::Endless { label, line });
            };
            match self::label(line, END) {
                Some(end) if end == label => break,
                Some(_) => {
                    let (label, line) = place();
                    return Err(PemError::Endless { label, line });
                }
                None => content.push(line.trim_matches(is_blank)),
            }
        }
        blocks.push(block(label, at + 1, &content)?);
    }
    Ok(blocks)
}

/// The certificates of a file, each with the line in which its block begins. Keys
/// and other things that stand beside certificates are passed over.
///
/// # Errors
/// As [`blocks`]; or a block may hold certificates in a form that is not read here.
pub(crate) fn certificates(file: &[u8]) -> Result<Vec<(usize, CertificateDer<'static>)>, PemError> {
    let of = |block: Block| (block.line, CertificateDer::from(block.der.expose_secret().to_vec()));
    Ok(of_kind(file, &[CERTIFICATE, "X509 CERTIFICATE"])?.into_iter().map(of).collect())
}

/// The lists of revoked certificates of a file, in the same way.
///
/// # Errors
/// As [`certificates`].
pub(crate) fn revocation_lists(file: &[u8]) -> Result<Vec<(usize, Vec<u8>)>, PemError> {
    let of = |block: Block| (block.line, block.der.expose_secret().to_vec());
    Ok(of_kind(file, &["X509 CRL"])?.into_iter().map(of).collect())
}

fn of_kind(file: &[u8], labels: &[&str]) -> Result<Vec<Block>, PemError> {
    let mut found = Vec::new();
    for block in blocks(file)? {
        if labels.contains(&&*block.label) {
            found.push(block);
        } else if !block.is_private_key() && !BESIDE.contains(&&*block.label) {
            return Err(PemError::Unread { label: block.label, line: block.line });
        }
    }
    Ok(found)
}

/// What stands beside certificates in files, and is something else.
const BESIDE: [&str; 11] = [
    CERTIFICATE,
    "X509 CERTIFICATE",
    "X509 CRL",
    PUBLIC_KEY,
    "RSA PUBLIC KEY",
    "EC PARAMETERS",
    "DH PARAMETERS",
    "X9.42 DH PARAMETERS",
    "DSA PARAMETERS",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
];

/// A block of these bytes, in lines of 64 characters. That of a private key becomes a secret
/// where it is made.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let borders = BEGIN.len() + END.len() + 2 * (label.len() + DASHES.len() + 1);
    let lines = der.len().div_ceil(3) * 4 + der.len().div_ceil(BYTES_OF_A_LINE);
    // Exactly: a text that grows or shrinks leaves copies behind.
    let mut text = String::with_capacity(borders + lines);
    text.extend([BEGIN, label, DASHES, "\n"]);
    for line in der.chunks(BYTES_OF_A_LINE) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.extend([END, label, DASHES, "\n"]);
    text
}

/// The label of certificates.
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
/// The label of public keys (SubjectPublicKeyInfo, RFC 5280 section 4.1).
pub(crate) const PUBLIC_KEY: &str = "PUBLIC KEY";
/// The label of private keys in PKCS#8 (RFC 5958).
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";
/// The label of private keys in PKCS#8 that are encrypted.
pub(crate) const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";

/// A file that is not well-formed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PemError {
    /// A block without its END line.
    #[error("the block {label} that begins in line {line} has no end")]
    Endless {
        /// What it claims to be.
        label: String,
        line: usize,
    },
    /// A block that is not base64.
    #[error("the block {label} that begins in line {line} is not base64")]
    NotBase64 {
        /// What it claims to be.
        label: String,
        line: usize,
    },
    /// A border that is misspelt, or the end of nothing.
    #[error(
        "line {line} looks like the border of a block (-----BEGIN …-----, -----END …-----), but is not valid; write the border on a line of its own"
    )]
    Border { line: usize },
    /// A block that may hold what was looked for, in another form.
    #[error("the block {label} that begins in line {line} is not supported; {}", mend(label))]
    Unread {
        /// What it claims to be.
        label: String,
        line: usize,
    },
}

/// How to have what a block holds in a form that is read.
fn mend(label: &str) -> &'static str {
    match label {
        "TRUSTED CERTIFICATE" => {
            "convert it to an ordinary certificate: `openssl x509 -in FILE -out NEW` (this removes its trust settings)"
        }
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => {
            "extract its certificates: `openssl pkcs7 -in FILE -print_certs -out NEW`"
        }
        _ => "remove it from the file, or export it as -----BEGIN CERTIFICATE-----",
    }
}

impl Block {
    /// Whether it is a private key of any kind.
    pub fn is_private_key(&self) -> bool {
        self.label.ends_with(PRIVATE_KEY)
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} in line {})", self.label, self.line)
    }
}

/// The text of a file: of one in UTF-16 too, as Windows writes it, with one kind of line end.
fn text(file: &[u8]) -> SecretString {
    let wide = |pair: fn([u8; 2]) -> u16| {
        let units = file.chunks_exact(2).map(|two| pair([two[0], two[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
    };
    let text = SecretString::from(match file {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(file).into_owned(),
    });
    if text.expose_secret().contains('\r') {
        let unix = SecretString::from(text.expose_secret().replace("\r\n", "\n"));
        return unix.expose_secret().replace('\r', "\n").into();
    }
    text
}

fn label<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    line.trim_matches(is_blank).strip_prefix(marker)?.strip_suffix(DASHES)
}

/// Blanks, and the mark of the byte order, which editors put before the first line.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{feff}' | '\u{200b}')
}

/// Whether a line is the border of a block to everybody but a parser: with other
/// dashes or fewer, in small letters, or behind other words.
fn is_like_a_border(line: &str) -> bool {
    let plain = line.to_uppercase().replace(['–', '—', '‐', '−'], "-");
    plain.contains("-BEGIN ") || plain.contains("-END ")
}

fn block(label: &str, line: usize, content: &[&str]) -> Result<Block, PemError> {
    // A header ends with an empty line; base64 has no colon.
    let headers = match content.first() {
        Some(first) if first.contains(':') => {
            content.iter().position(|line| line.is_empty()).unwrap_or(content.len())
        }
        _ => 0,
    };
    let (headers, body) = content.split_at(headers);
    let base64 = SecretString::from(body.concat());
    let der = STANDARD
        .decode(base64.expose_secret())
        .map_err(|_| PemError::NotBase64 { label: label.to_owned(), line })?;
    let (begin, end) = (format!("{BEGIN}{label}{DASHES}"), format!("{END}{label}{DASHES}"));
    let text = [&[&*begin][..], content, &[&*end, ""]].concat().join("\n");
    let is_encrypted =
        |header: &&str| header.starts_with("Proc-Type:") && header.ends_with("ENCRYPTED");
    Ok(Block {
        label: label.to_owned(),
        line,
        encrypted_by_header: headers.iter().any(is_encrypted),
        der: der.into(),
        text: text.into(),
    })
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// They are 64 characters in base64.
const BYTES_OF_A_LINE: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_in_order_whatever_stands_between_them() {
        let file = b"Bag Attributes\n    friendlyName: w\xe4b\n-----BEGIN PRIVATE KEY-----\r\nAAEC\r\n-----END PRIVATE KEY-----\r\nsubject=CN = web\n\n-----BEGIN CERTIFICATE-----\nAw\n==\n-----END CERTIFICATE-----";
        let found = blocks(file).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|block| (&*block.label, block.line, block.der.expose_secret()))
            .collect();
        assert_eq!(found, [("PRIVATE KEY", 3, &[0u8, 1, 2][..]), ("CERTIFICATE", 8, &[3][..])]);
    }

    #[test]
    fn marks_of_byte_order_blanks_and_line_ends_hide_no_block() {
        let plain = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
        let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("\u{feff}{plain}").encode_utf16().flat_map(order).collect()
        };
        for file in [
            plain.as_bytes().to_vec(),
            format!("\u{feff}{plain}").into_bytes(),
            format!("  \t{}", plain.replace('\n', " \t\n  ")).into_bytes(),
            plain.replace('\n', "\r\n").into_bytes(),
            plain.replace('\n', "\r").into_bytes(),
            format!("\u{a0}{plain}").into_bytes(),
            plain.replace("CERTIFICATE", "X509 CERTIFICATE").into_bytes(),
            [b"caf\xe9: \xff\xfe begin\n", plain.as_bytes()].concat(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
        ] {
            let read = certificates(&file).unwrap();
            assert_eq!(read.len(), 1, "{}", String::from_utf8_lossy(&file));
            assert_eq!(read[0].1.as_ref(), [0, 1, 2]);
        }
    }

    #[test]
    fn what_may_be_a_certificate_in_another_form_is_named_and_never_passed_over() {
        let of = |label: &str| format!("-----BEGIN {label}-----\nAAEC\n-----END {label}-----\n");
        let beside = [of("RSA PRIVATE KEY"), of("DH PARAMETERS"), of(CERTIFICATE), of("X509 CRL")];
        let file = beside.concat();
        assert_eq!(certificates(file.as_bytes()).unwrap().len(), 1);
        assert_eq!(revocation_lists(file.as_bytes()).unwrap().len(), 1);
        for (label, words) in [
            ("TRUSTED CERTIFICATE", "openssl x509 -in FILE"),
            ("PKCS7", "openssl pkcs7 -in FILE"),
            ("CERTIFIKATE", "remove it from the file"),
        ] {
            let file = [of(CERTIFICATE), of(label)].concat();
            let error = certificates(file.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(&format!("{label} that begins in line 4")), "{error}");
            assert!(error.contains(words), "{error}");
            assert!(revocation_lists(file.as_bytes()).is_err());
        }
    }

    #[test]
    fn what_is_encoded_is_read_again() {
        let bytes: Vec<u8> = (0..200).collect();
        let text = encode(PUBLIC_KEY, &bytes);
        assert!(text.lines().all(|line| line.len() <= 64), "{text}");
        let read = blocks(text.as_bytes()).unwrap();
        assert_eq!(*read[0].der.expose_secret(), bytes);
        assert_eq!(read[0].text.expose_secret(), text);
        assert_eq!(text.capacity(), text.len(), "no copy is left behind");
    }

    #[test]
    fn the_header_of_an_old_encrypted_key_is_seen_and_kept() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00\n\nAAEC\n-----END RSA PRIVATE KEY-----\n";
        let read = blocks(text.as_bytes()).unwrap();
        assert!(read[0].encrypted_by_header);
        assert_eq!(*read[0].der.expose_secret(), [0, 1, 2]);
        assert_eq!(read[0].text.expose_secret(), text);
    }

    #[test]
    fn a_damaged_block_is_named_with_its_line() {
        for (file, words) in [
            ("-----BEGIN A-----\nAAEC\n", "block A that begins in line 1 has no end"),
            ("\n-----BEGIN A-----\n-----END B-----\n", "A that begins in line 2 has no end"),
            ("-----BEGIN A-----\n-----BEGIN B-----\n-----END B-----\n", "line 1 has no end"),
            ("-----BEGIN A-----\n!\n-----END A-----\n", "line 1 is not base64"),
            ("-----END A-----\n", "line 1 looks like the border of a block"),
            ("----BEGIN A-----\nAAEC\n-----END A-----\n", "line 1 looks like"),
            ("x\n–––––BEGIN A-----\nAAEC\n-----END A-----\n", "line 2 looks like"),
            ("-----begin a-----\nAAEC\n-----end a-----\n", "line 1 looks like"),
            ("subject=a -----BEGIN A-----\nAAEC\n-----END A-----\n", "line 1 looks like"),
        ] {
            let error = blocks(file.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(blocks(b"no block at all").unwrap().is_empty());
    }
}
