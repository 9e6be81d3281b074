//! The session key, and what it proves: that nobody changed the messages on
//! their way (MS-NLMP 3.2.5.1.2).

use secrecy::{ExposeSecret, SecretBox};

use super::{SecretKey, equal, hmac_md5, md5, rc4};
use crate::krb5::bindings::Bindings;
use crate::mechanism::ntlm::message::Authenticate;

/// ExportedSessionKey: known to the client and to whoever the domain told the
/// user's session key.
#[derive(Debug)]
pub(crate) struct ExportedKey(SecretKey);

/// What the message integrity code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// The three messages are those that the client saw and sent.
    Proven,
    /// They are not, or the key is another user's.
    Broken,
    /// The client sent no code.
    Unprotected,
}

impl ExportedKey {
    /// The key of the session that `authenticate` began. `user_session_key` is
    /// what the domain answers when it has verified the NTLMv2 response
    /// (SessionBaseKey, which for NTLMv2 is KeyExchangeKey too: MS-NLMP 3.4.5.1).
    pub(crate) fn new(user_session_key: SecretKey, authenticate: &Authenticate) -> Self {
        Self(match authenticate.encrypted_random_session_key {
            Some(encrypted) => {
                SecretBox::init_with(|| rc4(user_session_key.expose_secret(), encrypted))
            }
            None => user_session_key,
        })
    }

    /// The key itself, where somebody else has derived it.
    pub(crate) const fn exported(key: SecretKey) -> Self {
        Self(key)
    }

    /// Whether the three messages, as they passed through our hands, are those
    /// that the client signed (MS-NLMP 3.1.5.1.2, MIC).
    pub(crate) fn integrity(
        &self,
        negotiate: &[u8],
        challenge: &[u8],
        authenticate: &Authenticate,
    ) -> Integrity {
        let Some(mic) = authenticate.mic() else {
            return Integrity::Unprotected;
        };
        let parts = [negotiate, challenge, mic.before, &[0; 16], mic.after];
        if equal(&hmac_md5(self.expose_secret(), &parts), mic.code) {
            Integrity::Proven
        } else {
            Integrity::Broken
        }
    }
}

impl ExposeSecret<[u8; 16]> for ExportedKey {
    fn expose_secret(&self) -> &[u8; 16] {
        self.0.expose_secret()
    }
}

/// What MsvAvChannelBindings holds for these bindings: MD5 over a
/// gss_channel_bindings_struct without addresses (MS-NLMP 3.1.5.1.2,
/// RFC 2744 section 3.11), its numbers little-endian.
pub(crate) fn channel_binding_hash(bindings: &Bindings) -> [u8; 16] {
    let data = bindings.as_bytes();
    // The hash of a certificate and a prefix are far from 4 GiB.
    let length = (data.len() as u32).to_le_bytes();
    md5(&[&NO_ADDRESSES, &length, data])
}

/// Type and length of the initiator's address, and of the acceptor's.
const NO_ADDRESSES: [u8; 16] = [0; 16];

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;

    use super::*;
    use crate::mechanism::ntlm::message::Malformed;
    use crate::mechanism::ntlm::samples::{self, Exchange, bytes};

    #[test]
    fn the_key_is_the_one_that_the_client_has() {
        for exchange in [samples::bound(), samples::plain(), samples::samba()] {
            let key = ExportedKey::new(exchange.user_session_key(), &authenticate(&exchange));
            assert_eq!(*key.expose_secret(), exchange.exported_key);
        }
    }

    #[test]
    fn the_documented_key_is_found() {
        let message = Authenticate::parse(bytes(samples::DOCUMENTED_AUTHENTICATE)).unwrap();
        let session_base_key = samples::secret_key("8de40ccadbc14a82f15cb0ad0de95ca3");
        let key = ExportedKey::new(session_base_key, &message);
        assert_eq!(*key.expose_secret(), [0x55; 16]);
    }

    #[test]
    fn without_an_exchange_the_users_key_is_the_sessions_key() {
        let curl = samples::curl();
        let key = ExportedKey::new(curl.user_session_key(), &authenticate(&curl));
        assert_eq!(*key.expose_secret(), curl.user_session_key);
    }

    #[test]
    fn messages_that_nobody_changed_are_proven() {
        for exchange in [samples::bound(), samples::plain(), samples::samba()] {
            assert_eq!(integrity(&exchange), Ok(Integrity::Proven));
        }
    }

    #[test]
    fn a_client_that_promises_no_code_is_unprotected() {
        assert_eq!(integrity(&samples::curl()), Ok(Integrity::Unprotected));
    }

    /// Some changes take the promise of a code out of the response. The domain
    /// refuses those: the response's own proof does not hold any more.
    #[test]
    fn any_bit_that_changes_in_any_message_is_noticed() {
        type Message = fn(&mut Exchange) -> &mut Vec<u8>;
        let messages: [Message; 3] =
            [|it| &mut it.negotiate, |it| &mut it.challenge, |it| &mut it.authenticate];
        let mut whole = samples::bound();
        for message in messages {
            for at in 0..message(&mut whole).len() {
                for bit in 0..8 {
                    let mut changed = whole.clone();
                    message(&mut changed)[at] ^= 1 << bit;
                    match integrity(&changed) {
                        Err(_) | Ok(Integrity::Broken) => {}
                        Ok(Integrity::Unprotected) => assert!(!is_right(&changed), "{at}, {bit}"),
                        Ok(Integrity::Proven) => {
                            panic!("bit {bit} of byte {at} counts for nothing")
                        }
                    }
                }
            }
        }
        assert!(is_right(&whole));
    }

    #[test]
    fn another_users_key_proves_nothing() {
        let mut exchange = samples::bound();
        exchange.user_session_key[0] ^= 1;
        assert_eq!(integrity(&exchange), Ok(Integrity::Broken));
    }

    #[test]
    fn the_hash_of_a_channel_is_what_clients_send() {
        let certificate = digest::digest(&digest::SHA256, b"a certificate");
        let bindings = Bindings::tls_server_end_point(certificate.as_ref());
        assert_eq!(channel_binding_hash(&bindings).to_vec(), bytes(samples::BINDING_HASH));
    }

    fn integrity(exchange: &Exchange) -> Result<Integrity, Malformed> {
        let authenticate = Authenticate::parse(exchange.authenticate.clone())?;
        let key = ExportedKey::new(exchange.user_session_key(), &authenticate);
        Ok(key.integrity(&exchange.negotiate, &exchange.challenge, &authenticate))
    }

    /// What the domain does: NTProofStr (MS-NLMP 3.3.2).
    fn is_right(exchange: &Exchange) -> bool {
        let message = authenticate(exchange);
        message.response.ntlmv2().is_some_and(|response| {
            let challenge = &exchange.challenge[24..32];
            let parts = [challenge, &response.bytes[response.proof.len()..]];
            hmac_md5(&exchange.response_key, &parts) == response.proof
        })
    }

    fn authenticate(exchange: &Exchange) -> Authenticate {
        Authenticate::parse(exchange.authenticate.clone()).unwrap()
    }
}
