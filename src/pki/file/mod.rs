//! Files of keys and certificates: read, written, encrypted.

pub mod certificate;
pub mod encryption;
pub mod foreign;
#[cfg(test)]
pub(in crate::pki) mod openssl;
pub mod pair;
pub mod pem;
pub(in crate::pki) mod private_key;
pub(in crate::pki) mod public_key;
pub(crate) mod stamp;
pub mod write;
