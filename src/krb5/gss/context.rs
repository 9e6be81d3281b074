//! Security contexts.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use libgssapi_sys as sys;

use super::name::Name;
use super::status::{Failure, check};
use crate::clock::Timestamp;

/// A context, half-made or not begun.
#[derive(Debug)]
pub(crate) struct Context(pub(in crate::krb5) sys::gss_ctx_id_t);

// SAFETY: MIT's contexts are plain heap objects without thread affinity; a
// `Context` has one owner and is never shared.
unsafe impl Send for Context {}

impl Context {
    /// A context that has not begun (GSS_C_NO_CONTEXT).
    pub(crate) const fn fresh() -> Self {
        Self(ptr::null_mut())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.0.is_null() {
            return;
        }
        let mut minor = 0;
        // SAFETY: the handle is ours, not null, and not used again.
        unsafe { sys::gss_delete_sec_context(&mut minor, &mut self.0, ptr::null_mut()) };
    }
}

/// The service that a finished context was accepted as.
pub(super) fn acceptor(context: &Context) -> Option<Vec<u8>> {
    let mut name = Name::none();
    let mut minor = 0;
    // SAFETY: the context is finished (a half-made one must never be asked);
    // every other output may be left out.
    let major = unsafe {
        sys::gss_inquire_context(
            &mut minor,
            context.0,
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
pub(super) fn ends_at(mut context: Context) -> Result<Timestamp, Failure> {
    let mut exported: *mut c_void = ptr::null_mut();
    let mut minor = 0;
    // SAFETY: the context is finished and krb5's; the call takes it over and
    // nulls the handle; version 1 of the structure is asked for.
    let major =
        unsafe { gss_krb5_export_lucid_sec_context(&mut minor, &mut context.0, 1, &mut exported) };
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
