//! Structures of krb5.h whose fields are read.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::{Credentials, Principal};

/// `krb5_data`
#[repr(C)]
pub(super) struct Data {
    magic: i32,
    pub(super) length: u32,
    pub(super) data: *mut c_char,
}

impl Data {
    pub(super) const NONE: Self = Self { magic: 0, length: 0, data: ptr::null_mut() };
}

/// The beginning of `krb5_error`.
#[repr(C)]
pub(super) struct ErrorHead {
    magic: i32,
    ctime: u32,
    cusec: i32,
    susec: i32,
    pub(super) stime: u32,
    pub(super) error: u32,
}

/// The beginning of `krb5_ticket`.
#[repr(C)]
pub(super) struct TicketHead {
    magic: i32,
    server: *mut c_void,
    enc_part_magic: i32,
    pub(super) enctype: i32,
    pub(super) kvno: u32,
}

/// `krb5_creds`
#[repr(C)]
pub(super) struct Creds {
    magic: i32,
    client: *mut c_void,
    server: *mut c_void,
    keyblock: Keyblock,
    times: [u32; 4],
    is_skey: u32,
    ticket_flags: i32,
    addresses: *mut c_void,
    pub(super) ticket: Data,
    second_ticket: Data,
    authdata: *mut c_void,
}

/// `krb5_keyblock`
#[repr(C)]
struct Keyblock {
    magic: i32,
    pub(super) enctype: i32,
    length: u32,
    contents: *mut u8,
}

// What is filled by the library has room enough.
const _: () = assert!(size_of::<Creds>() <= size_of::<Credentials>());

impl Creds {
    /// Names who wants a ticket for what; all else is left open.
    pub(super) const fn between(client: &Principal<'_>, server: &Principal<'_>) -> Self {
        Self {
            magic: 0,
            client: client.1,
            server: server.1,
            keyblock: Keyblock { magic: 0, enctype: 0, length: 0, contents: ptr::null_mut() },
            times: [0; 4],
            is_skey: 0,
            ticket_flags: 0,
            addresses: ptr::null_mut(),
            ticket: Data::NONE,
            second_ticket: Data::NONE,
            authdata: ptr::null_mut(),
        }
    }
}
