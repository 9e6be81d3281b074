//! The calls into MIT's libkrb5 and its GSSAPI that open a KDC's ticket with a key of our own, and
//! read the account in it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use libgssapi_sys as sys;

use super::ask::{krb5_cc_initialize, krb5_cc_store_cred, krb5_free_creds, krb5_get_credentials};
use super::layout::{Creds, Data};
use super::{Context, Failure, Principal, Ticket, in_one_line};
use crate::krb5::gss::buffer::Buffer;
use crate::krb5::gss::name::Name;
use crate::krb5::gss::oid::{KERBEROS, oid};
use crate::krb5::gss::status::check;
use crate::krb5::gss::{self, Credential};
use crate::krb5::pac;

impl Context {
    /// The salt with which the KDC makes the keys of this name's account: the
    /// same whatever name the account is asked for by. Empty where it tells none.
    pub(in crate::krb5::kdc) fn salt(&self, client: &Principal<'_>) -> Result<Vec<u8>, Failure> {
        let (mut kind, mut salt, mut parameters) = (0, Data::NONE, Data::NONE);
        // SAFETY: context and name are valid; options may be left out; the three
        // places are filled on success only.
        let code = unsafe {
            krb5_get_etype_info(
                self.0,
                client.1,
                ptr::null_mut(),
                &mut kind,
                &mut salt,
                &mut parameters,
            )
        };
        self.check(code)?;
        let told = copied(&salt);
        for mut data in [salt, parameters] {
            // SAFETY: filled by the library, or empty, which the call allows.
            unsafe { krb5_free_data_contents(self.0, &mut data) };
        }
        Ok(told)
    }
}

impl<'a> Ticket<'a> {
    /// Puts the ticket into a cache in memory, from which others are asked for.
    pub(in crate::krb5::kdc) fn cache(
        &mut self,
        client: &'a Principal<'a>,
    ) -> Result<Cached<'a>, Failure> {
        let context = self.0;
        let mut cache = Cached(context, ptr::null_mut(), client);
        // SAFETY: the context is valid; `cache.1` is a place for one handle.
        let code =
            unsafe { krb5_cc_new_unique(context.0, c"MEMORY".as_ptr(), ptr::null(), &mut cache.1) };
        context.check(code)?;
        // SAFETY: all handles are valid and of one context.
        let code = unsafe { krb5_cc_initialize(context.0, cache.1, client.1) };
        context.check(code)?;
        // SAFETY: the credentials were filled by the library; it copies them.
        let code = unsafe { krb5_cc_store_cred(context.0, cache.1, self.1.place()) };
        context.check(code)?;
        Ok(cache)
    }
}

/// Tickets in memory. It is destroyed when it is dropped.
pub(in crate::krb5::kdc) struct Cached<'a>(&'a Context, *mut c_void, &'a Principal<'a>);

impl Cached<'_> {
    /// Asks the KDC for a ticket for `service`, into the cache.
    pub(in crate::krb5::kdc) fn get(&self, service: &Principal<'_>) -> Result<(), Failure> {
        let mut wanted = Creds::between(self.2, service);
        let mut got = ptr::null_mut();
        // SAFETY: all handles are valid and of one context; the wish is only read.
        let code = unsafe {
            krb5_get_credentials(self.0.0, 0, self.1, ptr::from_mut(&mut wanted).cast(), &mut got)
        };
        self.0.check(code)?;
        // SAFETY: the library made it, and keeps a copy in the cache.
        unsafe { krb5_free_creds(self.0.0, got) };
        Ok(())
    }

    /// Shows the cached ticket for `service` to the key of that service in
    /// `keytab` (`FILE:` and a path), which only its own KDC knows, and reads what
    /// the ticket says of its client.
    pub(in crate::krb5::kdc) fn show(
        &self,
        service: &CStr,
        keytab: &CStr,
    ) -> Result<Client, Failure> {
        let target = Name::principal(service)?;
        let mut minor = 0;
        let mut initiator = Credential(ptr::null_mut());
        // SAFETY: the cache is valid, and outlives the credential.
        let major = unsafe {
            gss_krb5_import_cred(
                &mut minor,
                self.1,
                ptr::null_mut(),
                ptr::null_mut(),
                &mut initiator.0,
            )
        };
        check(major, minor)?;
        let (mut ours, mut token) = (gss::Context::fresh(), Buffer::empty());
        let mut kerberos = oid(KERBEROS);
        // SAFETY: all handles are valid; nothing is asked for but the first token.
        let major = unsafe {
            sys::gss_init_sec_context(
                &mut minor,
                initiator.0,
                &mut ours.0,
                target.0,
                &mut kerberos,
                0,
                0,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                &mut token.0,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(major, minor)?;
        let acceptor = acceptor(&target, keytab)?;
        let (mut theirs, mut reply) = (gss::Context::fresh(), Buffer::empty());
        let mut client = Name::none();
        // SAFETY: the token is what the call above made; the outputs are owned by
        // types that release them.
        let major = unsafe {
            sys::gss_accept_sec_context(
                &mut minor,
                &mut theirs.0,
                acceptor.0,
                &mut token.0,
                ptr::null_mut(),
                &mut client.0,
                ptr::null_mut(),
                &mut reply.0,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(major, minor)?;
        Ok(Client { has_pac: client.has_pac(), pac: client.pac() })
    }
}

impl Drop for Cached<'_> {
    fn drop(&mut self) {
        if !self.1.is_null() {
            // SAFETY: the handle is ours, and is not used again.
            unsafe { krb5_cc_destroy(self.0.0, self.1) };
        }
    }
}

/// What a ticket says of its client.
pub(in crate::krb5::kdc) struct Client {
    /// Whether it had an authenticated PAC.
    pub(in crate::krb5::kdc) has_pac: bool,
    /// What that says of the account.
    pub(in crate::krb5::kdc) pac: pac::Parts,
}

/// A credential that accepts for one service. The token is our own: nobody replays it.
fn acceptor(service: &Name, keytab: &CStr) -> Result<Credential, Failure> {
    let mut elements = [
        sys::gss_key_value_element_desc { key: c"keytab".as_ptr(), value: keytab.as_ptr() },
        sys::gss_key_value_element_desc { key: c"rcache".as_ptr(), value: c"none:".as_ptr() },
    ];
    let store = sys::gss_key_value_set_desc { count: 2, elements: elements.as_mut_ptr() };
    let mut kerberos = oid(KERBEROS);
    let mut wanted = sys::gss_OID_set_desc { count: 1, elements: &mut kerberos };
    let mut credential = Credential(ptr::null_mut());
    let mut minor = 0;
    // SAFETY: name, store and set outlive the call, which reads them only.
    let major = unsafe {
        sys::gss_acquire_cred_from(
            &mut minor,
            service.0,
            u32::MAX,
            &mut wanted,
            sys::GSS_C_ACCEPT as c_int,
            &store,
            &mut credential.0,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    check(major, minor)?;
    Ok(credential)
}

/// As the rest of this folder tells failures.
impl From<gss::Failure> for Failure {
    fn from(failed: gss::Failure) -> Self {
        let text = if failed.text.is_empty() { failed.status } else { failed.text };
        Self { code: failed.minor.cast_signed(), text: in_one_line(&text) }
    }
}

fn copied(data: &Data) -> Vec<u8> {
    if data.data.is_null() || data.length == 0 {
        return Vec::new();
    }
    // SAFETY: the library filled `length` bytes at `data`, which live until they are freed.
    unsafe { std::slice::from_raw_parts(data.data.cast::<u8>(), data.length as usize) }.to_vec()
}

#[link(name = "krb5")]
// SAFETY: the signatures are those of krb5.h, with opaque handles.
unsafe extern "C" {
    fn krb5_get_etype_info(
        context: *mut c_void,
        principal: *mut c_void,
        options: *mut c_void,
        kind: *mut i32,
        salt: *mut Data,
        parameters: *mut Data,
    ) -> i32;
    fn krb5_free_data_contents(context: *mut c_void, data: *mut Data);
    fn krb5_cc_new_unique(
        context: *mut c_void,
        kind: *const c_char,
        hint: *const c_char,
        cache: *mut *mut c_void,
    ) -> i32;
    fn krb5_cc_destroy(context: *mut c_void, cache: *mut c_void) -> i32;
}

// libgssapi-sys binds gssapi.h and gssapi_ext.h; this one is in gssapi_krb5.h.
unsafe extern "C" {
    fn gss_krb5_import_cred(
        minor: *mut u32,
        cache: *mut c_void,
        keytab_principal: *mut c_void,
        keytab: *mut c_void,
        credential: *mut sys::gss_cred_id_t,
    ) -> u32;
}
