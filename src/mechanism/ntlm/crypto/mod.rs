//! The algorithms of NTLM, and no others: MD5, HMAC-MD5 and RC4 (MS-NLMP 6). They are weak, and
//! used only where the protocol requires them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use rc4::{KeyInit, Rc4, StreamCipher};
use secrecy::SecretBox;
use secrecy::zeroize::Zeroizing;

pub(crate) mod key;
pub(crate) mod sign;

/// A key that client and domain know: all of them have 128 bits.
pub(crate) type SecretKey = SecretBox<[u8; 16]>;

/// MD5 of the parts, one behind the other.
pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().into()
}

/// HMAC-MD5 of the parts, one behind the other.
pub(crate) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    // HMAC itself fills a short key with zeros up to a block (RFC 2104 section 2).
    // The crate takes a whole block: a copy of the key, on the stack, where no `SecretBox` goes.
    let mut block = Zeroizing::new([0; 64]);
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Md5> as KeyInit>::new((&*block).into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// RC4 from the beginning of its key stream; it encrypts and decrypts alike.
pub(crate) fn rc4<const N: usize>(key: &[u8; 16], mut data: [u8; N]) -> [u8; N] {
    // RC4 repeats its key as often as it needs: written twice, it is the same key.
    // That is a copy on the stack, as above.
    let mut twice = Zeroizing::new([0; 32]);
    twice[..16].copy_from_slice(key);
    twice[16..].copy_from_slice(key);
    Rc4::new((&*twice).into()).apply_keystream(&mut data);
    data
}

/// Whether both are the same, in a time that does not tell where they differ.
pub(super) fn equal(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::samples::bytes;

    #[test]
    fn md5_of_parts_is_that_of_the_whole() {
        let expected = bytes("f96b697d7cb7938d525a2f31aaf161d0"); // RFC 1321 A.5
        assert_eq!(md5(&[b"message ", b"", b"digest"]).to_vec(), expected);
    }

    #[test]
    fn hmac_md5_agrees_with_rfc_2202() {
        let expected = bytes("9294727a3638bb1c13f48ef8158bfc9d");
        assert_eq!(hmac_md5(&[0x0b; 16], &[b"Hi ", b"There"]).to_vec(), expected);
    }

    #[test]
    fn rc4_agrees_with_rfc_6229() {
        let key = bytes("0102030405060708090a0b0c0d0e0f10").try_into().unwrap();
        let stream = bytes("9ac7cc9a609d1ef7b2932899cde41b97");
        assert_eq!(rc4(&key, [0; 16]).to_vec(), stream);
    }
}
