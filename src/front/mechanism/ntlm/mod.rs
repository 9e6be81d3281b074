//! NTLM (MS-NLMP): the messages as values.

pub mod av_pair;
pub mod message;
pub mod response;
#[cfg(test)]
mod samples;
mod text;
