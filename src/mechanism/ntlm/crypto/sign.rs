//! Signatures of NTLM (MS-NLMP 3.4.4), for the one thing that is signed here:
//! SPNEGO's list of mechanisms (RFC 4178 section 5). So each side signs once, and
//! the sequence number is always 0.

use secrecy::{ExposeSecret as _, SecretBox};

use super::key::ExportedKey;
use super::{SecretKey, equal, hmac_md5, md5, rc4};
use crate::mechanism::ntlm::message::Flags;

/// Whether the client's signature (mechListMIC) over the list that it sent, in
/// DER, is right. `flags` are those of its AUTHENTICATE message.
///
/// Where signatures were not negotiated, but something in their place was, that
/// something is right, and proves nothing; see [`sign_server`].
pub(crate) fn verify_client(
    list: &[u8],
    signature: &[u8],
    key: &ExportedKey,
    flags: Flags,
) -> bool {
    sign(list, key, flags, &CLIENT).is_some_and(|right| equal(&right, signature))
}

/// Our signature over the client's list of mechanisms, in DER.
///
/// `None` where no signatures were negotiated, or only those without extended
/// session security, which anybody can forge. Where the client wants something in
/// the place of a signature (NTLMSSP_NEGOTIATE_ALWAYS_SIGN), it is empty but for
/// the version, as Windows makes it.
pub(crate) fn sign_server(list: &[u8], key: &ExportedKey, flags: Flags) -> Option<[u8; 16]> {
    sign(list, key, flags, &SERVER)
}

/// The client's signature, for tests.
#[cfg(test)]
pub(in crate::mechanism::ntlm) fn sign_client(
    list: &[u8],
    key: &ExportedKey,
    flags: Flags,
) -> Option<[u8; 16]> {
    sign(list, key, flags, &CLIENT)
}

fn sign(list: &[u8], key: &ExportedKey, flags: Flags, side: &Side) -> Option<[u8; 16]> {
    if !flags.contains(Flags::SIGN) {
        return flags.contains(Flags::ALWAYS_SIGN).then(|| signature([0; 8]));
    }
    if !flags.contains(Flags::EXTENDED_SESSION_SECURITY) {
        return None;
    }
    let [checksum @ .., _, _, _, _, _, _, _, _] =
        hmac_md5(signing_key(key, side).expose_secret(), &[&SEQUENCE, list]);
    Some(signature(if flags.contains(Flags::KEY_EXCHANGE) {
        rc4(sealing_key(key, flags, side).expose_secret(), checksum)
    } else {
        checksum
    }))
}

/// NTLMSSP_MESSAGE_SIGNATURE with extended session security (MS-NLMP 2.2.2.9.2).
fn signature(checksum: [u8; 8]) -> [u8; 16] {
    let mut signature = [0; 16];
    signature[..4].copy_from_slice(&VERSION);
    signature[4..12].copy_from_slice(&checksum);
    signature[12..].copy_from_slice(&SEQUENCE);
    signature
}

/// SIGNKEY (MS-NLMP 3.4.5.2).
fn signing_key(key: &ExportedKey, side: &Side) -> SecretKey {
    SecretBox::init_with(|| md5(&[key.expose_secret(), side.signing]))
}

/// SEALKEY (MS-NLMP 3.4.5.3): from as much of the key as the flags allow.
fn sealing_key(key: &ExportedKey, flags: Flags, side: &Side) -> SecretKey {
    let length = if flags.contains(Flags::BITS_128) {
        16
    } else if flags.contains(Flags::BITS_56) {
        7
    } else {
        5
    };
    SecretBox::init_with(|| md5(&[&key.expose_secret()[..length], side.sealing]))
}

/// The constants of one direction, with the NUL that ends each.
struct Side {
    signing: &'static [u8],
    sealing: &'static [u8],
}

const CLIENT: Side = Side {
    signing: b"session key to client-to-server signing key magic constant\0",
    sealing: b"session key to client-to-server sealing key magic constant\0",
};
const SERVER: Side = Side {
    signing: b"session key to server-to-client signing key magic constant\0",
    sealing: b"session key to server-to-client sealing key magic constant\0",
};
const VERSION: [u8; 4] = [1, 0, 0, 0];
const SEQUENCE: [u8; 4] = [0; 4];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::message::Authenticate;
    use crate::mechanism::ntlm::samples::{self, bytes};

    /// SEQUENCE OF OID with NTLM alone.
    const LIST: &str = "300c060a2b06010401823702020a";
    const NEGOTIATED: Flags = Flags(0xe28a_8235);

    #[test]
    fn a_real_clients_signature_is_right_and_a_changed_one_is_not() {
        let signature = bytes("01000000e3e3c45fd81ee4b800000000");
        let list = bytes(LIST);
        assert!(verify_client(&list, &signature, &key(), NEGOTIATED));
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!verify_client(&list, &changed, &key(), NEGOTIATED), "{at}");
        }
        for at in 0..list.len() {
            let mut changed = list.clone();
            changed[at] ^= 1;
            assert!(!verify_client(&changed, &signature, &key(), NEGOTIATED), "{at}");
        }
        for other in [&signature[..15], &[]] {
            assert!(!verify_client(&list, other, &key(), NEGOTIATED));
        }
    }

    /// Made by pyspnego.
    #[test]
    fn both_sides_sign_by_the_negotiated_flags() {
        for (flags, client, server, what) in [
            (0xe28a_8235, "e3e3c45fd81ee4b8", "45e8b8ff68c78333", "128 bits"),
            (0xc28a_8235, "d9c7c46edc194c75", "f0cf70f0c9b387b0", "56 bits"),
            (0x428a_8235, "9ff9a3decaa03299", "107d99066d6b2649", "40 bits"),
            (0xa28a_8235, "93af648575fdb5d9", "a12d5e10b10a45e4", "no key exchange"),
            (0x628a_8225, "0000000000000000", "0000000000000000", "in place of a signature"),
        ] {
            let client = bytes(&format!("01000000{client}00000000"));
            let server = bytes(&format!("01000000{server}00000000"));
            assert!(verify_client(&bytes(LIST), &client, &key(), Flags(flags)), "{what}");
            let signed = sign_server(&bytes(LIST), &key(), Flags(flags)).map(Vec::from);
            assert_eq!(signed, Some(server), "{what}");
        }
    }

    #[test]
    fn where_nothing_was_negotiated_nothing_is_right() {
        for flags in [Flags::UNICODE, Flags::SIGN | Flags::ALWAYS_SIGN] {
            assert_eq!(sign_server(&bytes(LIST), &key(), flags), None);
            for signature in [&[0; 16][..], &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
                assert!(!verify_client(&bytes(LIST), signature, &key(), flags));
            }
        }
    }

    /// MS-NLMP 4.2.4.4.
    #[test]
    fn the_documented_keys_are_made() {
        let message = Authenticate::parse(bytes(samples::DOCUMENTED_AUTHENTICATE)).unwrap();
        let key =
            ExportedKey::new(samples::secret_key("8de40ccadbc14a82f15cb0ad0de95ca3"), &message);
        let signing = samples::key("4788dc861b4782f35d43fd98fe1a2d39");
        assert_eq!(*signing_key(&key, &CLIENT).expose_secret(), signing);
        let sealing = samples::key("59f600973cc4960a25480a7c196e4c58");
        assert_eq!(*sealing_key(&key, message.flags, &CLIENT).expose_secret(), sealing);
    }

    fn key() -> ExportedKey {
        let exchange = samples::bound();
        let message = Authenticate::parse(exchange.authenticate.clone()).unwrap();
        ExportedKey::new(exchange.user_session_key(), &message)
    }
}
