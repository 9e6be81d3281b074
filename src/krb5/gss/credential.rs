//! The credential by which tickets are accepted.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use libgssapi_sys as sys;

use super::name::Name;
use super::oid::{KERBEROS, SPNEGO, oid, oid_set};
use super::status::{Failure, check};

/// Where an acceptor credential gets its keys and remembers tokens. An unknown
/// word in a credential store is ignored by MIT, silently; hence no words here.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// `FILE:` and a path.
    pub(crate) keytab: CString,
    /// `file2:` and a path.
    pub(crate) replay_cache: CString,
    /// The one service to accept for: `HTTP@host`, or `HTTP/host@REALM`.
    pub(crate) service: Option<Service>,
}

/// The name of a service.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    /// `HTTP@host`, in any realm (RFC 2743 section 4.1).
    HostBased(CString),
    /// `HTTP/host@REALM` (RFC 1964 section 2.1.1).
    Principal(CString),
}

const STORE_KEYTAB: &CStr = c"keytab";
const STORE_REPLAY_CACHE: &CStr = c"rcache";

/// An acceptor credential for Kerberos, bare or in SPNEGO, and nothing else.
#[derive(Debug)]
pub(crate) struct Credential(pub(in crate::krb5) sys::gss_cred_id_t);

// SAFETY: MIT's credentials lock themselves and have no thread affinity.
unsafe impl Send for Credential {}

impl Drop for Credential {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle is ours, or null, which the call allows.
        unsafe { sys::gss_release_cred(&mut minor, &mut self.0) };
    }
}

impl Credential {
    /// Acquires the credential. MIT looks into the keytab here, and opens it
    /// again at every accept.
    pub(crate) fn acquire(store: &Store) -> Result<Self, Failure> {
        keep_profile();
        let name = match &store.service {
            Some(Service::HostBased(service)) => Some(Name::host_based(service)?),
            Some(Service::Principal(service)) => Some(Name::principal(service)?),
            None => None,
        };
        let mut elements = [
            sys::gss_key_value_element_desc {
                key: STORE_KEYTAB.as_ptr(),
                value: store.keytab.as_ptr(),
            },
            sys::gss_key_value_element_desc {
                key: STORE_REPLAY_CACHE.as_ptr(),
                value: store.replay_cache.as_ptr(),
            },
        ];
        let store = sys::gss_key_value_set_desc {
            count: elements.len() as u32,
            elements: elements.as_mut_ptr(),
        };
        let mut mechanisms = [oid(KERBEROS), oid(SPNEGO)];
        let mut wanted = oid_set(&mut mechanisms);
        let mut credential = Self(ptr::null_mut());
        let mut minor = 0;
        // SAFETY: `name`, `store`, its strings and `wanted` outlive the call,
        // which reads them only; `credential` is a place for one handle.
        let major = unsafe {
            sys::gss_acquire_cred_from(
                &mut minor,
                name.as_ref().map_or(ptr::null_mut(), |name| name.0),
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

        // What SPNEGO may choose: never NTLM, NEGOEX or IAKERB, whatever else is installed.
        let mut negotiable = oid_set(&mut mechanisms[..1]);
        // SAFETY: the credential is valid; the set is copied by the call.
        let major = unsafe { sys::gss_set_neg_mechs(&mut minor, credential.0, &mut negotiable) };
        check(major, minor)?;
        Ok(credential)
    }
}

/// Keeps what MIT has read of krb5.conf for as long as the process runs. Every
/// context shares it while one of them stands; else each accept opens and reads
/// the file twice. MIT still looks for changes of the file once a second.
fn keep_profile() {
    static KEPT: AtomicBool = AtomicBool::new(false);
    if KEPT.load(Ordering::Relaxed) {
        return;
    }
    let mut context = ptr::null_mut();
    // SAFETY: `context` is a place for one handle, which is never used or
    // released: it keeps the shared data alive. On failure nothing is kept.
    let code = unsafe { krb5_init_context(&mut context) };
    KEPT.store(code == 0, Ordering::Relaxed);
}

#[link(name = "krb5")]
// SAFETY: the signature is that of krb5.h, with an opaque krb5_context.
unsafe extern "C" {
    fn krb5_init_context(context: *mut *mut c_void) -> i32;
}
