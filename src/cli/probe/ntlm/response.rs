//! The response of NTLM version 2, and what is made of its keys (MS-NLMP 3.3.2
//! and 3.4). Old as these functions are, nothing else is NTLM.

use md4::{Digest, Md4};
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice, SecretString};

use super::account::Account;
use super::pairs::to_utf16;
use crate::mechanism::Bindings;
use crate::mechanism::ntlm::crypto::{SecretKey, hmac_md5, md5, rc4};

/// The answer to a challenge.
pub(super) struct Response {
    /// NTProofStr, and what it covers: NTLMv2_RESPONSE (2.2.2.8).
    pub(super) bytes: Vec<u8>,
    /// SessionBaseKey; NTLM version 2 has no other key exchange key (3.4.5.1).
    pub(super) key: SecretKey,
}

/// The account's key: NTOWFv2.
pub(super) fn account_key(account: &Account, password: &SecretString) -> SecretKey {
    let password = SecretSlice::from(to_utf16(password.expose_secret()));
    let hash = SecretKey::init_with(|| Md4::digest(password.expose_secret()).into());
    let name: String = account.user.chars().map(capital).collect();
    let names: [&[u8]; 2] = [&to_utf16(&name), &to_utf16(&account.domain)];
    SecretBox::init_with(|| hmac_md5(hash.expose_secret(), &names))
}

/// Answers `nonce` of a server. `client_nonce` is random; `time` is the server's
/// own where it told it; `information` is its target information with what the
/// client adds.
pub(super) fn respond(
    account_key: &SecretKey,
    nonce: [u8; 8],
    client_nonce: [u8; 8],
    time: u64,
    information: &[u8],
) -> Response {
    const VERSION: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 0];
    let time = time.to_le_bytes();
    let covered = [VERSION, &time, &client_nonce, &[0; 4], information, &[0; 4]].concat();
    let account_key = account_key.expose_secret();
    let proof = hmac_md5(account_key, &[&nonce, &covered]);
    let key = SecretBox::init_with(|| hmac_md5(account_key, &[&proof]));
    Response { bytes: [&proof[..], &covered].concat(), key }
}

/// The message integrity code of an exchange (3.1.5.1.2), whose third message
/// has zeros in its place.
pub(super) fn integrity_code(key: &SecretKey, messages: [&[u8]; 3]) -> [u8; 16] {
    hmac_md5(key.expose_secret(), &messages)
}

/// The session key as it is sent: encrypted with the key that both sides have.
pub(super) fn encrypted(session_key: &SecretKey, key: &SecretKey) -> [u8; 16] {
    rc4(key.expose_secret(), *session_key.expose_secret())
}

/// MD5 of the GSS channel bindings (RFC 2744 section 3.11): no addresses, and
/// the application data with its length.
pub(super) fn channel_bindings(bindings: &Bindings) -> [u8; 16] {
    let data = bindings.as_bytes();
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    md5(&[&[0; 16], &length.to_le_bytes(), data])
}

/// Windows capitalises one UTF-16 unit at a time: what would become two, such
/// as `ß`, and what takes two, stays as it is.
fn capital(character: char) -> char {
    let mut capitals = character.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) if character.len_utf16() == 1 => capital,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs::{self, Pairs};
    use super::*;

    /// The account of the examples in MS-NLMP 4.2.1.
    fn account() -> Account {
        Account { domain: "Domain".to_owned(), user: "User".to_owned() }
    }

    const NONCE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

    #[test]
    fn the_examples_of_the_specification_come_out() {
        let key = account_key(&account(), &"Password".into());
        assert_eq!(
            u128::from_be_bytes(*key.expose_secret()),
            0x0c86_8a40_3bfd_7a93_a300_1ef2_2ef0_2e3f
        );
        let mut information = Pairs::default();
        information.set(pairs::DOMAIN, to_utf16("Domain"));
        information.set(pairs::COMPUTER, to_utf16("Server"));
        let response = respond(&key, NONCE, [0xaa; 8], 0, &information.bytes());
        let (proof, covered) = response.bytes.split_first_chunk().unwrap();
        assert_eq!(u128::from_be_bytes(*proof), 0x68cd_0ab8_51e5_1c96_aabc_927b_ebef_6a1c);
        assert_eq!(covered.len(), 28 + information.bytes().len() + 4);
        assert_eq!(
            u128::from_be_bytes(*response.key.expose_secret()),
            0x8de4_0cca_dbc1_4a82_f15c_b0ad_0de9_5ca3
        );
        let sent = encrypted(&SecretKey::new(Box::new([0x55; 16])), &response.key);
        assert_eq!(u128::from_be_bytes(sent), 0xc5da_d254_4fc9_7990_94ce_1ce9_0bc9_d03e);
    }

    #[test]
    fn names_are_capitalised_letter_by_letter() {
        let capitals = |name: &str| name.chars().map(capital).collect::<String>();
        assert_eq!(capitals("jürgen"), "JÜRGEN");
        assert_eq!(capitals("groß"), "GROß");
        assert_eq!(capitals("𐐨"), "𐐨");
    }

    #[test]
    fn a_binding_is_hashed_with_its_length_and_without_addresses() {
        let bindings = Bindings::tls_server_end_point(&[0xea; 32]);
        let hash = u128::from_be_bytes(channel_bindings(&bindings));
        // What pyspnego makes of the same binding.
        assert_eq!(hash, 0xeec0_bb6b_04de_bbe4_6352_25a7_0891_0457);
    }
}
