//! Names, and what a ticket says of the one that it was issued to.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::ptr;

use libgssapi_sys as sys;

use super::buffer::{Buffer, borrowed};
use super::oid::{HOST_BASED_SERVICE, KERBEROS_PRINCIPAL, oid};
use super::status::{Failure, check};
use crate::krb5::pac;

/// A name of the library.
pub(in crate::krb5) struct Name(pub(in crate::krb5) sys::gss_name_t);

impl Name {
    /// A place for the library to put one.
    pub(in crate::krb5) const fn none() -> Self {
        Self(ptr::null_mut())
    }

    /// `HTTP@host`, in any realm (RFC 2743 section 4.1).
    pub(super) fn host_based(service: &CStr) -> Result<Self, Failure> {
        Self::import(service, HOST_BASED_SERVICE)
    }

    /// `HTTP/host@REALM` (RFC 1964 section 2.1.1).
    pub(in crate::krb5) fn principal(principal: &CStr) -> Result<Self, Failure> {
        Self::import(principal, KERBEROS_PRINCIPAL)
    }

    fn import(text: &CStr, kind: &'static [u8]) -> Result<Self, Failure> {
        let mut text = borrowed(text.to_bytes());
        let mut kind = oid(kind);
        let mut name = Self::none();
        let mut minor = 0;
        // SAFETY: `text` and `kind` outlive the call, which copies them; `name` is
        // a place for one handle.
        let major = unsafe { sys::gss_import_name(&mut minor, &mut text, &mut kind, &mut name.0) };
        check(major, minor)?;
        Ok(name)
    }

    /// The name as text, in the mechanism's own form.
    pub(super) fn display(&self) -> Result<Vec<u8>, Failure> {
        let mut text = Buffer::empty();
        let mut minor = 0;
        // SAFETY: the name is valid or null, which the library refuses.
        let major =
            unsafe { sys::gss_display_name(&mut minor, self.0, &mut text.0, ptr::null_mut()) };
        check(major, minor)?;
        Ok(text.to_vec())
    }

    /// Whether the ticket had an authenticated PAC.
    pub(in crate::krb5) fn has_pac(&self) -> bool {
        self.attribute(PAC_CLIENT_INFO).is_some()
    }

    /// What the PAC says of the account.
    pub(in crate::krb5) fn pac(&self) -> pac::Parts {
        pac::Parts {
            logon_info: self.attribute(PAC_LOGON_INFO),
            upn_dns_info: self.attribute(PAC_UPN_DNS_INFO),
        }
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

/// Stands in every PAC, also in those of MIT's KDC, which name no account.
const PAC_CLIENT_INFO: &[u8] = b"urn:mspac:client-info";
const PAC_LOGON_INFO: &[u8] = b"urn:mspac:logon-info";
const PAC_UPN_DNS_INFO: &[u8] = b"urn:mspac:upn-dns-info";
