//! The first and the third message (MS-NLMP 2.2.1.1 and 2.2.1.3).

use aws_lc_rs::rand;
use secrecy::{ExposeSecretMut as _, SecretString};

use super::account::Account;
use super::challenge::{Challenge, SIGNATURE, file_time};
use super::pairs::{self, Pairs, to_utf16};
use super::response;
use crate::clock;
use crate::mechanism::Bindings;
use crate::mechanism::ntlm::crypto::SecretKey;
use crate::mechanism::ntlm::message::Flags;

/// What goes into the third message and is nobody else's.
pub(super) struct Secrets<'a> {
    account: &'a Account,
    password: &'a SecretString,
    time: u64,
    client_nonce: [u8; 8],
    session_key: SecretKey,
}

/// A third message, and what it is made of.
pub(super) struct Third {
    pub(super) bytes: Vec<u8>,
    /// Whether it is bound to the TLS channel.
    pub(super) is_bound: bool,
    /// Whether it carries a message integrity code.
    pub(super) has_code: bool,
}

impl<'a> Secrets<'a> {
    /// Those of one exchange, here and now.
    ///
    /// # Errors
    /// A sentence: there are no random numbers.
    pub(super) fn new(account: &'a Account, password: &'a SecretString) -> Result<Self, String> {
        let (mut client_nonce, mut session_key) = ([0; 8], SecretKey::default());
        let filled = rand::fill(&mut client_nonce)
            .and_then(|()| rand::fill(session_key.expose_secret_mut()));
        filled.map_err(|_| "this machine has no random numbers".to_owned())?;
        let time = file_time(clock::now());
        Ok(Self { account, password, time, client_nonce, session_key })
    }
}

/// The first message: what the client can do. It tells no names: servers have
/// no use for them.
pub(super) fn first() -> Vec<u8> {
    const NO_NAMES: [u8; 24] = [0; 24];
    [&SIGNATURE[..], &1u32.to_le_bytes(), &WANTED.0.to_le_bytes(), &NO_NAMES].concat()
}

/// The third message, for the service principal `service`. It has a code over
/// all three where the server told its time, as Windows does (3.1.5.1.2).
pub(super) fn third(
    first: &[u8],
    challenge: &Challenge,
    secrets: &Secrets<'_>,
    service: &str,
    bindings: Option<&Bindings>,
) -> Third {
    let Secrets { account, password, time, client_nonce, session_key } = secrets;
    let flags = Flags(challenge.flags.0 & WANTED.0);
    let information = information(challenge, service, bindings);
    let has_code = challenge.information.time().is_some();
    let time = information.time().unwrap_or(*time);
    let account_key = response::account_key(account, password);
    let information = information.bytes();
    let response =
        response::respond(&account_key, challenge.nonce, *client_nonce, time, &information);
    let (session_key, sent_key) = if flags.contains(Flags::KEY_EXCHANGE) {
        (session_key, response::encrypted(session_key, &response.key).to_vec())
    } else {
        (&response.key, Vec::new())
    };
    let mut bytes = assemble(flags, account, &response.bytes, &sent_key);
    if has_code {
        let code = response::integrity_code(session_key, [first, &challenge.bytes, &bytes]);
        bytes[CODE_AT..CODE_AT + code.len()].copy_from_slice(&code);
    }
    Third { bytes, is_bound: bindings.is_some(), has_code }
}

/// What the server tells about itself, with what the client adds to it.
fn information(challenge: &Challenge, service: &str, bindings: Option<&Bindings>) -> Pairs {
    let mut information = challenge.information.clone();
    if information.time().is_some() {
        let before = information.get(pairs::FLAGS).and_then(|flags| flags.try_into().ok());
        let before = u32::from_le_bytes(before.unwrap_or_default());
        information.set(pairs::FLAGS, (before | CODE_PROVIDED).to_le_bytes().to_vec());
    }
    information.set(pairs::TARGET_NAME, to_utf16(service));
    if let Some(bindings) = bindings {
        let hash = response::channel_bindings(bindings);
        information.set(pairs::CHANNEL_BINDINGS, hash.to_vec());
    }
    information
}

/// AUTHENTICATE_MESSAGE with zeros for its version and its code. There is no LM
/// response of any version: it would be the weakest part.
fn assemble(flags: Flags, account: &Account, response: &[u8], sent_key: &[u8]) -> Vec<u8> {
    let (domain, user) = (to_utf16(&account.domain), to_utf16(&account.user));
    let fields: [&[u8]; 6] = [&[0; 24], response, &domain, &user, &[], sent_key];
    let mut head = [&SIGNATURE[..], &3u32.to_le_bytes()].concat();
    let mut payload: Vec<u8> = Vec::new();
    for field in fields {
        // Only a challenge of nearly 64 KB makes longer ones, and its server cannot read them.
        let length = u16::try_from(field.len()).unwrap_or(u16::MAX).to_le_bytes();
        let offset = u32::try_from(PAYLOAD_AT + payload.len()).unwrap_or(u32::MAX);
        head.extend([length, length].concat());
        head.extend(offset.to_le_bytes());
        payload.extend(field);
    }
    head.extend(flags.0.to_le_bytes());
    head.resize(PAYLOAD_AT, 0);
    head.extend(payload);
    head
}

/// What the probe asks for, and all it understands.
const WANTED: Flags = Flags(
    Flags::UNICODE.0
        | Flags::REQUEST_TARGET.0
        | Flags::SIGN.0
        | Flags::NTLM.0
        | Flags::ALWAYS_SIGN.0
        | Flags::EXTENDED_SESSION_SECURITY.0
        | Flags::TARGET_INFO.0
        | Flags::BITS_128.0
        | Flags::KEY_EXCHANGE.0,
);

/// MsvAvFlags: the message has an integrity code.
const CODE_PROVIDED: u32 = 2;

/// Behind the fields (52 + 8), the flags (4) and the version (8).
const CODE_AT: usize = 72;
const PAYLOAD_AT: usize = CODE_AT + 16;

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::challenge::{self, tests::samba};
    use super::*;
    use crate::mechanism::ntlm::crypto::hmac_md5;
    use crate::mechanism::ntlm::crypto::key::{self, ExportedKey, Integrity};
    use crate::mechanism::ntlm::message::av_pair::ChannelBinding;
    use crate::mechanism::ntlm::message::{self, Authenticate, Negotiate, ServerNames};

    fn secrets<'a>(account: &'a Account, password: &'a SecretString) -> Secrets<'a> {
        Secrets { account, password, time: 7, client_nonce: [0xaa; 8], session_key: fives() }
    }

    fn fives() -> SecretKey {
        SecretKey::new(Box::new([0x55; 16]))
    }

    fn password() -> SecretString {
        "Password1!".into()
    }

    fn alice() -> Account {
        Account::parse(r"LAB\alice").unwrap()
    }

    /// What a field of the third message points to.
    fn field(message: &[u8], at: usize) -> &[u8] {
        let length = u16::from_le_bytes([message[at], message[at + 1]]);
        let offset = u32::from_le_bytes(message[at + 4..at + 8].try_into().unwrap());
        &message[usize::try_from(offset).unwrap()..][..usize::from(length)]
    }

    /// The attributes inside the response.
    fn attributes(third: &Third) -> Pairs {
        Pairs::read(&field(&third.bytes, 20)[44..]).unwrap()
    }

    #[test]
    fn the_first_message_has_forty_bytes_and_no_names() {
        assert_eq!(first().len(), 40);
        assert!(first().starts_with(b"NTLMSSP\0\x01\0\0\0"));
    }

    #[test]
    fn the_third_message_says_who_and_repeats_what_the_server_said() {
        let (challenge, alice) = (challenge::read(&samba()).unwrap(), alice());
        let third = third(&first(), &challenge, &secrets(&alice, &password()), "HTTP/web", None);
        assert_eq!(field(&third.bytes, 28), to_utf16("LAB"));
        assert_eq!(field(&third.bytes, 36), to_utf16("alice"));
        assert_eq!(field(&third.bytes, 12), [0; 24]);
        let attributes = attributes(&third);
        assert_eq!(attributes.name(pairs::COMPUTER).as_deref(), Some("DC1"));
        assert_eq!(attributes.name(pairs::TARGET_NAME).as_deref(), Some("HTTP/web"));
        assert_eq!(attributes.time(), challenge.information.time());
    }

    #[test]
    fn a_binding_stands_in_the_response_only_where_there_is_one() {
        let (challenge, alice) = (challenge::read(&samba()).unwrap(), alice());
        let bindings = Bindings::tls_server_end_point(&[1; 32]);
        let with =
            third(&first(), &challenge, &secrets(&alice, &password()), "HTTP/web", Some(&bindings));
        let hash = response::channel_bindings(&bindings);
        assert_eq!(attributes(&with).get(pairs::CHANNEL_BINDINGS), Some(&hash[..]));
        let without = third(&first(), &challenge, &secrets(&alice, &password()), "HTTP/web", None);
        assert_eq!(attributes(&without).get(pairs::CHANNEL_BINDINGS), None);
    }

    #[test]
    fn the_code_covers_all_three_messages_where_the_server_told_its_time() {
        let (mut challenge, alice) = (challenge::read(&samba()).unwrap(), alice());
        challenge.flags = Flags(challenge.flags.0 | Flags::KEY_EXCHANGE.0);
        let mut whole =
            third(&first(), &challenge, &secrets(&alice, &password()), "HTTP/web", None);
        assert_eq!(attributes(&whole).get(pairs::FLAGS), Some(&[2, 0, 0, 0][..]));
        let code: Vec<u8> = whole.bytes[CODE_AT..PAYLOAD_AT].to_vec();
        whole.bytes[CODE_AT..PAYLOAD_AT].fill(0);
        let messages = [&first()[..], &challenge.bytes, &whole.bytes];
        assert_eq!(code, response::integrity_code(&fives(), messages));

        challenge.information = Pairs::default();
        let timeless = third(&first(), &challenge, &secrets(&alice, &password()), "HTTP/web", None);
        assert!(!timeless.has_code);
        assert_eq!(timeless.bytes[CODE_AT..PAYLOAD_AT], [0; 16]);
        assert_eq!(attributes(&timeless).get(pairs::FLAGS), None);
    }

    #[test]
    fn the_gateway_reads_it_as_it_was_meant() {
        let asked = Negotiate::parse(first()).unwrap();
        let names = ServerNames::new("LAB", "DC1", Some("lab.example"), "dc1.lab.example");
        let sent = message::Challenge::new(&asked, &names.unwrap(), [1; 8], 42);
        let challenge = challenge::read(sent.bytes()).unwrap();
        let (alice, bindings) = (alice(), Bindings::tls_server_end_point(&[1; 32]));
        let third =
            third(&first(), &challenge, &secrets(&alice, &password()), "HTTP/web", Some(&bindings));

        let read = Authenticate::parse(third.bytes).unwrap();
        assert_eq!((read.domain.as_str(), read.user.as_str()), ("LAB", "alice"));
        let response = read.response.ntlmv2().unwrap();
        let bound = ChannelBinding::Hash(key::channel_binding_hash(&bindings));
        assert_eq!(response.channel_binding(), bound);
        assert_eq!(response.service_principal(), Some("HTTP/web"));
        // What the domain answers when it has verified the response.
        let account_key = response::account_key(&alice, &password());
        let proven = hmac_md5(account_key.expose_secret(), &[&response.proof]);
        let key = ExportedKey::new(SecretKey::new(Box::new(proven)), &read);
        assert_eq!(key.integrity(&first(), sent.bytes(), &read), Integrity::Proven);
    }
}
