//! The calls into MIT's libkrb5 that ask a KDC for an initial ticket and prove
//! it with a key of our own. Every handle is owned by a type that releases it,
//! before the context it came from; texts are copied before the next call.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

pub(super) mod ask;
mod layout;
pub(super) mod shown;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The library's code: of the protocol (RFC 4120 section 7.5.9) from
    /// [`PROTOCOL`] on, or its own.
    pub(super) code: i32,
    pub(super) text: String,
}

/// The code of the protocol's error 0 (`ERROR_TABLE_BASE_krb5` of krb5.h).
pub(super) const PROTOCOL: i32 = -1_765_328_384;

/// The library, with what krb5.conf says at this moment.
pub(super) struct Context(*mut c_void);

impl Context {
    /// Reads krb5.conf.
    pub(super) fn new() -> Result<Self, Failure> {
        let mut context = ptr::null_mut();
        // SAFETY: `context` is a place for one handle.
        let code = unsafe { krb5_init_context(&mut context) };
        if code != 0 {
            let text = "krb5.conf cannot be read".to_owned();
            return Err(Failure { code, text });
        }
        Ok(Self(context))
    }

    /// Takes `name@REALM` in display form (RFC 1964, 2.1.3).
    pub(super) fn principal(&self, name: &CStr) -> Result<Principal<'_>, Failure> {
        let mut principal = Principal(self, ptr::null_mut());
        // SAFETY: context and name are valid; `principal.1` is a place for one handle.
        let code = unsafe { krb5_parse_name(self.0, name.as_ptr(), &mut principal.1) };
        self.check(code)?;
        Ok(principal)
    }

    /// Names a keytab, as `FILE:` and a path. It is not opened yet.
    pub(super) fn keytab(&self, name: &CStr) -> Result<Keytab<'_>, Failure> {
        let mut keytab = Keytab(self, ptr::null_mut());
        // SAFETY: context and name are valid; `keytab.1` is a place for one handle.
        let code = unsafe { krb5_kt_resolve(self.0, name.as_ptr(), &mut keytab.1) };
        self.check(code)?;
        Ok(keytab)
    }

    /// Gets an initial ticket by password, as short-lived as is needed here. The
    /// KDC may not answer for another name than was asked for, nobody is asked
    /// for a new password, and nothing is written anywhere.
    pub(super) fn initial_ticket(
        &self,
        client: &Principal<'_>,
        password: &CStr,
    ) -> Result<Ticket<'_>, Failure> {
        let options = Options::short(self)?;
        let mut ticket = Ticket(self, Box::default());
        // SAFETY: all handles are valid and of this context; the password is
        // read only; without a prompter nothing is asked; `ticket.1` is large
        // enough for a krb5_creds, and is filled on success only.
        let code = unsafe {
            krb5_get_init_creds_password(
                self.0,
                ticket.1.place(),
                client.1,
                password.as_ptr(),
                ptr::null(),
                ptr::null_mut(),
                0,
                ptr::null(),
                options.1,
            )
        };
        self.check(code)?;
        Ok(ticket)
    }

    fn check(&self, code: i32) -> Result<(), Failure> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: the context is valid, and remembers the words of its last error.
        let message = unsafe { krb5_get_error_message(self.0, code) };
        if message.is_null() {
            return Err(Failure { code, text: String::new() });
        }
        // SAFETY: the library gives a string that ends with NUL, and lives until
        // it is given back.
        let text = printable(unsafe { CStr::from_ptr(message) });
        // SAFETY: it came from the call above, and is not used again.
        unsafe { krb5_free_error_message(self.0, message) };
        Err(Failure { code, text })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the handle is ours; everything made by it borrows it, and is gone.
        unsafe { krb5_free_context(self.0) };
    }
}

/// A name of the library.
pub(super) struct Principal<'a>(&'a Context, *mut c_void);

impl Drop for Principal<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, or null, which the call allows.
        unsafe { krb5_free_principal(self.0.0, self.1) };
    }
}

/// A keytab that was named.
pub(super) struct Keytab<'a>(&'a Context, *mut c_void);

impl Drop for Keytab<'_> {
    fn drop(&mut self) {
        if !self.1.is_null() {
            // SAFETY: the handle is ours, and is not used again.
            unsafe { krb5_kt_close(self.0.0, self.1) };
        }
    }
}

struct Options<'a>(&'a Context, *mut c_void);

impl<'a> Options<'a> {
    /// For a ticket as short-lived as is needed here, under the name that is asked for.
    fn short(context: &'a Context) -> Result<Self, Failure> {
        let mut options = Self(context, ptr::null_mut());
        // SAFETY: the context is valid; `options.1` is a place for one handle.
        let code = unsafe { krb5_get_init_creds_opt_alloc(context.0, &mut options.1) };
        context.check(code)?;
        // SAFETY: the options are valid, and take plain numbers.
        unsafe {
            krb5_get_init_creds_opt_set_tkt_life(options.1, TICKET_SECONDS);
            krb5_get_init_creds_opt_set_renew_life(options.1, 0);
            krb5_get_init_creds_opt_set_forwardable(options.1, 0);
            krb5_get_init_creds_opt_set_proxiable(options.1, 0);
            krb5_get_init_creds_opt_set_canonicalize(options.1, 0);
        }
        Ok(options)
    }
}

impl Drop for Options<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, or null, which the call allows.
        unsafe { krb5_get_init_creds_opt_free(self.0.0, self.1) };
    }
}

/// An initial ticket, in memory only. What its KDC is worth is not known yet.
pub(super) struct Ticket<'a>(&'a Context, Box<Credentials>);

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        // SAFETY: filled by the library, or all zero, which the call allows. It
        // overwrites the session key.
        unsafe { krb5_free_cred_contents(self.0.0, self.1.place()) };
    }
}

/// Room for a `krb5_creds`, whose fields nobody here looks at: 120 bytes on
/// 64-bit machines, less on others.
#[repr(C, align(16))]
#[derive(Default)]
struct Credentials([u64; 32]);

impl Credentials {
    fn place(&mut self) -> *mut c_void {
        ptr::from_mut(self).cast()
    }
}

/// A sentence of the library may quote a name that somebody made up.
fn printable(text: &CStr) -> String {
    in_one_line(&text.to_string_lossy())
}

fn in_one_line(text: &str) -> String {
    let shown = |character: char| {
        if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
    };
    text.chars().take(MAX_TEXT).map(shown).collect()
}

/// A text for the library; `None` when it holds a NUL byte, which ends texts there.
pub(super) fn text(text: &str) -> Option<CString> {
    CString::new(text).ok()
}

#[link(name = "krb5")]
// SAFETY: the signatures are those of krb5.h, with opaque handles.
unsafe extern "C" {
    fn krb5_init_context(context: *mut *mut c_void) -> i32;
    fn krb5_free_context(context: *mut c_void);
    fn krb5_get_error_message(context: *mut c_void, code: i32) -> *const c_char;
    fn krb5_free_error_message(context: *mut c_void, message: *const c_char);
    fn krb5_parse_name(
        context: *mut c_void,
        name: *const c_char,
        principal: *mut *mut c_void,
    ) -> i32;
    fn krb5_free_principal(context: *mut c_void, principal: *mut c_void);
    fn krb5_kt_resolve(context: *mut c_void, name: *const c_char, keytab: *mut *mut c_void) -> i32;
    fn krb5_kt_close(context: *mut c_void, keytab: *mut c_void) -> i32;
    fn krb5_get_init_creds_opt_alloc(context: *mut c_void, options: *mut *mut c_void) -> i32;
    fn krb5_get_init_creds_opt_free(context: *mut c_void, options: *mut c_void);
    fn krb5_get_init_creds_opt_set_tkt_life(options: *mut c_void, seconds: i32);
    fn krb5_get_init_creds_opt_set_renew_life(options: *mut c_void, seconds: i32);
    fn krb5_get_init_creds_opt_set_forwardable(options: *mut c_void, forwardable: c_int);
    fn krb5_get_init_creds_opt_set_proxiable(options: *mut c_void, proxiable: c_int);
    fn krb5_get_init_creds_opt_set_canonicalize(options: *mut c_void, canonicalize: c_int);
    fn krb5_get_init_creds_password(
        context: *mut c_void,
        credentials: *mut c_void,
        client: *mut c_void,
        password: *const c_char,
        prompter: *const c_void,
        data: *mut c_void,
        start: i32,
        service: *const c_char,
        options: *mut c_void,
    ) -> i32;
    fn krb5_free_cred_contents(context: *mut c_void, credentials: *mut c_void);
}

/// Long enough for the one exchange that follows, on clocks that differ.
const TICKET_SECONDS: i32 = 600;
/// Characters of a sentence that are kept.
const MAX_TEXT: usize = 600;
