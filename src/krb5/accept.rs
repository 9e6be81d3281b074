//! The calls into MIT's GSSAPI: the only `unsafe` of the front. Every handle is
//! owned by a type that releases it; every text is copied before the next call,
//! on the thread that made the error, since MIT keeps error texts per thread.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use libgssapi_sys as sys;

use super::pac;
use crate::clock::Timestamp;
use crate::mechanism::Bindings;
use crate::mechanism::kerberos::ticket::{TicketService, Unreadable};

/// A context, half-made or not begun.
#[derive(Debug)]
pub(crate) struct Context {
    handle: sys::gss_ctx_id_t,
    /// The service of the ticket that it was given, as far as it was given one.
    pub(crate) service: Option<Result<TicketService, Unreadable>>,
}

// SAFETY: MIT's contexts are plain heap objects without thread affinity; a
// `Context` has one owner and is never shared.
unsafe impl Send for Context {}

impl Context {
    /// A context that has not begun (GSS_C_NO_CONTEXT).
    pub(crate) fn fresh() -> Self {
        Self { handle: ptr::null_mut(), service: None }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.handle.is_null() {
            return;
        }
        let mut minor = 0;
        // SAFETY: the handle is ours, not null, and not used again.
        unsafe { sys::gss_delete_sec_context(&mut minor, &mut self.handle, ptr::null_mut()) };
    }
}

/// A token to accept.
#[derive(Debug)]
pub(crate) struct Accept {
    pub(crate) context: Context,
    pub(crate) token: Vec<u8>,
    pub(crate) bindings: Option<Arc<Bindings>>,
}

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
pub(crate) struct Credential(sys::gss_cred_id_t);

// SAFETY: MIT's credentials lock themselves and have no thread affinity.
unsafe impl Send for Credential {}

impl Drop for Credential {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle is ours and not used again.
        unsafe { sys::gss_release_cred(&mut minor, &mut self.0) };
    }
}

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

/// How an accept went well.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// More tokens are needed.
    Continue { context: Context, token: Vec<u8> },
    /// The context stands.
    Complete(Facts),
}

/// What a finished context says.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) principal: Vec<u8>,
    /// The service of the ticket that was accepted.
    pub(crate) service: Option<Result<TicketService, Unreadable>>,
    /// The principal whose key accepted, if it was asked for.
    pub(crate) acceptor: Option<Vec<u8>>,
    pub(crate) channel_bound: bool,
    pub(crate) ends_at: Timestamp,
    /// Whether the ticket had an authenticated PAC.
    pub(crate) has_pac: bool,
    /// What it says of the account.
    pub(crate) pac: pac::Parts,
    pub(crate) reply: Option<Vec<u8>>,
}

impl Credential {
    /// Acquires the credential. MIT looks into the keytab here, and opens it
    /// again at every accept.
    pub(crate) fn acquire(store: &Store) -> Result<Self, Failure> {
        keep_profile();
        let name = store.service.as_ref().map(import).transpose()?;
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

    /// Accepts one token. The name of the acceptor is looked up only on wish,
    /// since it costs a sixth of the whole.
    pub(crate) fn accept(&self, accept: Accept, name_acceptor: bool) -> Result<Accepted, Failure> {
        let Accept { mut context, token, bindings } = accept;
        let mut input = borrowed(&token);
        let mut channel = bindings.as_ref().map(|bindings| channel_bindings(bindings));
        let channel = channel.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        let mut client = Name(ptr::null_mut());
        let mut reply = Buffer::empty();
        let mut mechanism: sys::gss_OID = ptr::null_mut();
        let (mut minor, mut flags) = (0, 0);
        // SAFETY: the input buffers borrow from `token` and `bindings`, which
        // outlive the call; the outputs are owned by types that release them;
        // the context is null or a half-made one of ours; no delegated
        // credential is asked for.
        let major = unsafe {
            sys::gss_accept_sec_context(
                &mut minor,
                &mut context.handle,
                self.0,
                &mut input,
                channel,
                &mut client.0,
                &mut mechanism,
                &mut reply.0,
                &mut flags,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        // Before anything else is called on this thread: texts are per thread and overwritten.
        let checked = check(major, minor);
        let reply = reply.into_option();
        if let Err(failure) = checked {
            return Err(Failure { reply, ..failure });
        }
        if major & sys::GSS_S_CONTINUE_NEEDED != 0 {
            return Ok(Accepted::Continue { context, token: reply.unwrap_or_default() });
        }
        // SAFETY: a mechanism's object identifier is static memory of the library.
        if !unsafe { is_one_of(mechanism, &[KERBEROS, KERBEROS_MICROSOFT]) } {
            check(sys::_GSS_S_BAD_MECH, 0)?;
        }
        Ok(Accepted::Complete(Facts {
            principal: client.display()?,
            service: context.service.take(),
            has_pac: client.attribute(PAC_CLIENT_INFO).is_some(),
            pac: pac::Parts {
                logon_info: client.attribute(PAC_LOGON_INFO),
                upn_dns_info: client.attribute(PAC_UPN_DNS_INFO),
            },
            acceptor: if name_acceptor { acceptor(&context) } else { None },
            channel_bound: flags & sys::GSS_C_CHANNEL_BOUND_FLAG != 0,
            ends_at: ends_at(context)?,
            reply,
        }))
    }
}

/// A name of the library.
struct Name(sys::gss_name_t);

impl Name {
    /// The name as text, in the mechanism's own form.
    fn display(&self) -> Result<Vec<u8>, Failure> {
        let mut text = Buffer::empty();
        let mut minor = 0;
        // SAFETY: the name is valid or null, which the library refuses.
        let major =
            unsafe { sys::gss_display_name(&mut minor, self.0, &mut text.0, ptr::null_mut()) };
        check(major, minor)?;
        Ok(text.to_vec())
    }

    /// A part of the ticket's PAC, where there is one and its signature by our
    /// own key was right (then MIT calls it authenticated).
    fn attribute(&self, name: &'static [u8]) -> Option<Vec<u8>> {
        let mut attribute = borrowed(name);
        let mut value = Buffer::empty();
        let (mut minor, mut authenticated, mut complete, mut more) = (0, 0, 0, -1);
        // SAFETY: the name is valid; the attribute is only read; display values
        // may be left out (RFC 6680 section 7.5).
        let major = unsafe {
            sys::gss_get_name_attribute(
                &mut minor,
                self.0,
                &mut attribute,
                &mut authenticated,
                &mut complete,
                &mut value.0,
                ptr::null_mut(),
                &mut more,
            )
        };
        (major == sys::GSS_S_COMPLETE && authenticated != 0).then(|| value.to_vec())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle is ours, or null, which the call allows.
        unsafe { sys::gss_release_name(&mut minor, &mut self.0) };
    }
}

/// The service that a finished context was accepted as.
fn acceptor(context: &Context) -> Option<Vec<u8>> {
    let mut name = Name(ptr::null_mut());
    let mut minor = 0;
    // SAFETY: the context is finished (a half-made one must never be asked);
    // every other output may be left out.
    let major = unsafe {
        sys::gss_inquire_context(
            &mut minor,
            context.handle,
            ptr::null_mut(),
            &mut name.0,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    check(major, minor).ok()?;
    name.display().ok()
}

/// When the ticket ends. The lifetime that GSSAPI tells an acceptor has the
/// permitted clock skew added, so the exact figure is taken from the exported
/// context; exporting consumes it.
fn ends_at(mut context: Context) -> Result<Timestamp, Failure> {
    let mut exported: *mut c_void = ptr::null_mut();
    let mut minor = 0;
    // SAFETY: the context is finished and krb5's; the call takes it over and
    // nulls the handle; version 1 of the structure is asked for.
    let major = unsafe {
        gss_krb5_export_lucid_sec_context(&mut minor, &mut context.handle, 1, &mut exported)
    };
    check(major, minor)?;
    // SAFETY: after success this points to a version 1 structure, which begins
    // with the three fields of `LucidHead`.
    let ends = unsafe { (*exported.cast::<LucidHead>()).endtime };
    // SAFETY: `exported` came from the call above and is not used again.
    unsafe { gss_krb5_free_lucid_sec_context(&mut minor, exported) };
    Ok(Timestamp::from_unix(u64::from(ends)))
}

/// The beginning of `gss_krb5_lucid_context_v1_t` (gssapi_krb5.h).
#[repr(C)]
struct LucidHead {
    version: u32,
    initiate: u32,
    /// Seconds since 1970; unsigned, so good until 2106.
    endtime: u32,
}

// libgssapi-sys binds gssapi.h and gssapi_ext.h; these two stand in gssapi_krb5.h.
unsafe extern "C" {
    fn gss_krb5_export_lucid_sec_context(
        minor: *mut u32,
        context: *mut sys::gss_ctx_id_t,
        version: u32,
        exported: *mut *mut c_void,
    ) -> u32;
    fn gss_krb5_free_lucid_sec_context(minor: *mut u32, exported: *mut c_void) -> u32;
}

/// A buffer that the library fills and owns.
struct Buffer(sys::gss_buffer_desc);

impl Buffer {
    fn empty() -> Self {
        Self(sys::gss_buffer_desc { length: 0, value: ptr::null_mut() })
    }

    fn to_vec(&self) -> Vec<u8> {
        if self.0.value.is_null() || self.0.length == 0 {
            return Vec::new();
        }
        // SAFETY: the library filled `length` bytes at `value`, which live as long as we do.
        unsafe { std::slice::from_raw_parts(self.0.value.cast::<u8>(), self.0.length) }.to_vec()
    }

    fn into_option(self) -> Option<Vec<u8>> {
        Some(self.to_vec()).filter(|bytes| !bytes.is_empty())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the buffer is empty or filled by the library.
        unsafe { sys::gss_release_buffer(&mut minor, &mut self.0) };
    }
}

/// `Err` with the texts of the error, on the thread where it happened.
fn check(major: u32, minor: u32) -> Result<(), Failure> {
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

fn channel_bindings(bindings: &Bindings) -> sys::gss_channel_bindings_struct {
    let none = sys::gss_buffer_desc { length: 0, value: ptr::null_mut() };
    sys::gss_channel_bindings_struct {
        initiator_addrtype: 0,
        initiator_address: none,
        acceptor_addrtype: 0,
        acceptor_address: none,
        application_data: borrowed(bindings.as_bytes()),
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

/// The library's form of a service's name.
fn import(service: &Service) -> Result<Name, Failure> {
    let (text, kind) = match service {
        Service::HostBased(text) => (text, HOST_BASED_SERVICE),
        Service::Principal(text) => (text, KERBEROS_PRINCIPAL),
    };
    let mut text = borrowed(text.as_bytes());
    let mut kind = oid(kind);
    let mut name = Name(ptr::null_mut());
    let mut minor = 0;
    // SAFETY: `text` and `kind` outlive the call, which copies them; `name` is
    // a place for one handle.
    let major = unsafe { sys::gss_import_name(&mut minor, &mut text, &mut kind, &mut name.0) };
    check(major, minor)?;
    Ok(name)
}

/// A buffer for the library to read; valid as long as `bytes`.
fn borrowed(bytes: &[u8]) -> sys::gss_buffer_desc {
    sys::gss_buffer_desc { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
}

fn oid(der: &'static [u8]) -> sys::gss_OID_desc {
    sys::gss_OID_desc { length: der.len() as u32, elements: der.as_ptr().cast_mut().cast() }
}

fn oid_set(members: &mut [sys::gss_OID_desc]) -> sys::gss_OID_set_desc {
    sys::gss_OID_set_desc { count: members.len(), elements: members.as_mut_ptr() }
}

/// # Safety
/// `oid` is null or points to a valid object identifier.
unsafe fn is_one_of(oid: sys::gss_OID, wanted: &[&[u8]]) -> bool {
    if oid.is_null() {
        return false;
    }
    // SAFETY: as the caller promises.
    let bytes =
        unsafe { std::slice::from_raw_parts((*oid).elements.cast::<u8>(), (*oid).length as usize) };
    wanted.contains(&bytes)
}

/// Calling and routine errors; what is left over is supplementary (RFC 2744 section 3.9.1).
const ERROR_MASK: u32 = 0xffff_0000;
/// 1.2.840.113554.1.2.2
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// 1.2.840.113554.1.2.1.4
const HOST_BASED_SERVICE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];
/// 1.2.840.113554.1.2.2.1
const KERBEROS_PRINCIPAL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01];
/// Stands in every PAC, also in those of MIT's KDC, which name no account.
const PAC_CLIENT_INFO: &[u8] = b"urn:mspac:client-info";
const PAC_LOGON_INFO: &[u8] = b"urn:mspac:logon-info";
const PAC_UPN_DNS_INFO: &[u8] = b"urn:mspac:upn-dns-info";
/// 1.3.6.1.5.5.2
const SPNEGO: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
/// 1.2.840.48018.1.2.2, as which a bare token may come from Windows
const KERBEROS_MICROSOFT: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// What the library says of a stand-in without a sentence behind it.
const SAYING_NOTHING: [&str; 2] = ["Success", "Unknown error"];
/// Characters of a sentence that are kept.
const MAX_TEXT: usize = 600;
