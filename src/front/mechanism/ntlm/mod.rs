//! NTLM (MS-NLMP): the messages as values, and the cryptography around them.
//! Whether a password is right is not decided here; what is decided is whether
//! the messages are whole, unchanged, and made for this channel.

pub mod av_pair;
mod crypto;
pub mod key;
pub mod message;
pub mod response;
#[cfg(test)]
mod samples;
pub mod sign;
mod text;
