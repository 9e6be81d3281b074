//! Files of keys and certificates: read, written, encrypted.

pub(crate) mod certificate;
pub(crate) mod key;
#[cfg(test)]
pub(crate) mod openssl;
pub(crate) mod pair;
pub(crate) mod pem;
pub(crate) mod write;
