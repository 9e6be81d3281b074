//! Files of keys and certificates: read, written, encrypted.

pub(crate) mod certificate;
pub(crate) mod encryption;
pub(crate) mod foreign;
#[cfg(test)]
pub(crate) mod openssl;
pub(crate) mod pair;
pub(crate) mod pem;
pub(in crate::pki) mod private_key;
pub(in crate::pki) mod public_key;
pub(crate) mod stamp;
pub(crate) mod write;
