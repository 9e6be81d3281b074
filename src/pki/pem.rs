//! PEM files (RFC 7468), block by block: what they hold, in which order.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

/// One block between its BEGIN and END lines.
pub struct Block {
    /// What the BEGIN line says it is: `CERTIFICATE`, `PRIVATE KEY`, …
    pub label: String,
    /// The number of the BEGIN line, from 1.
    pub line: usize,
    /// Whether its header says `Proc-Type: 4,ENCRYPTED` (RFC 1421 section 4.6.1.1):
    /// OpenSSL's way to encrypt a key before PKCS#8.
    pub encrypted_by_header: bool,
    /// The bytes.
    pub der: Zeroizing<Vec<u8>>,
    /// The block as it stands, from BEGIN to END, with one line end after it.
    pub text: Zeroizing<String>,
}

/// The blocks of a file. What stands between them is passed over, as other
/// programs do: OpenSSL writes names and attributes there.
///
/// # Errors
/// A block that has no end, or whose content is not base64.
pub fn blocks(file: &[u8]) -> Result<Vec<Block>, PemError> {
    let text = Zeroizing::new(String::from_utf8_lossy(file).into_owned());
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(label) = label(line, BEGIN) else { continue };
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
                None => content.push(line.trim()),
            }
        }
        blocks.push(block(label, at + 1, &content)?);
    }
    Ok(blocks)
}

/// A block of these bytes, in lines of 64 characters.
pub fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(base64.len() * 66 / 64 + 128));
    text.push_str(&format!("{BEGIN}{label}{DASHES}\n"));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII: every index is a boundary of characters.
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("{END}{label}{DASHES}\n"));
    text
}

/// The label of certificates.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The label of public keys (SubjectPublicKeyInfo, RFC 5280 section 4.1).
pub const PUBLIC_KEY: &str = "PUBLIC KEY";
/// The label of private keys in PKCS#8 (RFC 5958).
pub const PRIVATE_KEY: &str = "PRIVATE KEY";
/// The label of private keys in PKCS#8 that are encrypted.
pub const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";

/// A file that is not well-formed.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PemError {
    /// A block without its END line.
    #[error("the block {label} that begins in line {line} has no end")]
    Endless {
        /// What it claims to be.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// A block that is not base64.
    #[error("the block {label} that begins in line {line} is not base64")]
    NotBase64 {
        /// What it claims to be.
        label: String,
        /// Where it begins.
        line: usize,
    },
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

fn label<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    line.trim().strip_prefix(marker)?.strip_suffix(DASHES)
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
    let base64 = Zeroizing::new(body.concat());
    let der = STANDARD
        .decode(base64.as_bytes())
        .map_err(|_| PemError::NotBase64 { label: label.to_owned(), line })?;
    let mut text = Zeroizing::new(format!("{BEGIN}{label}{DASHES}\n"));
    for line in content {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&format!("{END}{label}{DASHES}\n"));
    let is_encrypted =
        |header: &&str| header.starts_with("Proc-Type:") && header.ends_with("ENCRYPTED");
    Ok(Block {
        label: label.to_owned(),
        line,
        encrypted_by_header: headers.iter().any(is_encrypted),
        der: der.into(),
        text,
    })
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_in_order_whatever_stands_between_them() {
        let file = b"Bag Attributes\n    friendlyName: w\xe4b\n-----BEGIN PRIVATE KEY-----\r\nAAEC\r\n-----END PRIVATE KEY-----\r\nsubject=CN = web\n\n-----BEGIN CERTIFICATE-----\nAw\n==\n-----END CERTIFICATE-----";
        let found = blocks(file).unwrap();
        let found: Vec<_> =
            found.iter().map(|block| (&*block.label, block.line, &block.der[..])).collect();
        assert_eq!(found, [("PRIVATE KEY", 3, &[0u8, 1, 2][..]), ("CERTIFICATE", 8, &[3][..])]);
    }

    #[test]
    fn what_is_encoded_is_read_again() {
        let bytes: Vec<u8> = (0..200).collect();
        let text = encode(PUBLIC_KEY, &bytes);
        assert!(text.lines().all(|line| line.len() <= 64), "{}", *text);
        let read = blocks(text.as_bytes()).unwrap();
        assert_eq!(read[0].der[..], bytes);
        assert_eq!(read[0].text, text);
    }

    #[test]
    fn the_header_of_an_old_encrypted_key_is_seen_and_kept() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00\n\nAAEC\n-----END RSA PRIVATE KEY-----\n";
        let read = blocks(text.as_bytes()).unwrap();
        assert!(read[0].encrypted_by_header);
        assert_eq!(read[0].der[..], [0, 1, 2]);
        assert_eq!(*read[0].text, text);
    }

    #[test]
    fn a_damaged_block_is_named_with_its_line() {
        for (file, words) in [
            ("-----BEGIN A-----\nAAEC\n", "block A that begins in line 1 has no end"),
            ("\n-----BEGIN A-----\n-----END B-----\n", "A that begins in line 2 has no end"),
            ("-----BEGIN A-----\n-----BEGIN B-----\n-----END B-----\n", "line 1 has no end"),
            ("-----BEGIN A-----\n!\n-----END A-----\n", "line 1 is not base64"),
        ] {
            let error = blocks(file.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(blocks(b"no block at all").unwrap().is_empty());
    }
}
