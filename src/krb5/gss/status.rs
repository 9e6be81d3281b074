//! What the library says of a call that failed. It keeps its texts per thread and
//! until the next error only, so they are copied at once.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use libgssapi_sys as sys;

use super::buffer::Buffer;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The major status (RFC 2743 section 1.2.1.1).
    pub(crate) major: u32,
    /// The mechanism's own code. Through SPNEGO it is a stand-in.
    pub(crate) minor: u32,
    /// The library's sentence for the major status.
    pub(crate) status: String,
    /// The mechanism's own sentence; empty when it has none.
    pub(crate) text: String,
    /// A token that tells the client.
    pub(crate) reply: Option<Vec<u8>>,
}

/// `Err` with the texts of the error, on the thread where it happened.
pub(in crate::krb5) fn check(major: u32, minor: u32) -> Result<(), Failure> {
    if major & ERROR_MASK == 0 {
        return Ok(());
    }
    // First the mechanism's: it is kept until the next error only.
    let text = match minor {
        0 => String::new(),
        _ => status_text(minor, sys::GSS_C_MECH_CODE),
    };
    let status = status_text(major, sys::GSS_C_GSS_CODE);
    let text = if SAYING_NOTHING.contains(&text.as_str()) { String::new() } else { text };
    Err(Failure { major, minor, status, text, reply: None })
}

fn status_text(code: u32, kind: u32) -> String {
    let mut text = Buffer::empty();
    let (mut minor, mut more) = (0, 0);
    // SAFETY: the mechanism may be null (the library knows whose code it gave
    // out); one message is asked for.
    unsafe {
        sys::gss_display_status(
            &mut minor,
            code,
            kind as c_int,
            ptr::null_mut(),
            &mut more,
            &mut text.0,
        )
    };
    printable(&text.to_vec())
}

/// A sentence of the library may quote a name of any length that the client made up.
fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .trim_end_matches('\0')
        .chars()
        .take(MAX_TEXT)
        .map(
            |character| {
                if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
            },
        )
        .collect()
}

/// Calling and routine errors; what is left over is supplementary (RFC 2744 section 3.9.1).
const ERROR_MASK: u32 = 0xffff_0000;
/// What the library says of a stand-in without a sentence behind it.
const SAYING_NOTHING: [&str; 2] = ["Success", "Unknown error"];
/// Characters of a sentence that are kept.
const MAX_TEXT: usize = 600;
