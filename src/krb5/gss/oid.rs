//! Object identifiers: mechanisms, and kinds of names.

#![allow(unsafe_code)]

use libgssapi_sys as sys;

pub(in crate::krb5) fn oid(der: &'static [u8]) -> sys::gss_OID_desc {
    sys::gss_OID_desc { length: der.len() as u32, elements: der.as_ptr().cast_mut().cast() }
}

pub(in crate::krb5) fn oid_set(members: &mut [sys::gss_OID_desc]) -> sys::gss_OID_set_desc {
    sys::gss_OID_set_desc { count: members.len(), elements: members.as_mut_ptr() }
}

/// # Safety
/// `oid` is null or points to a valid object identifier.
pub(super) unsafe fn is_one_of(oid: sys::gss_OID, wanted: &[&[u8]]) -> bool {
    if oid.is_null() {
        return false;
    }
    // SAFETY: as the caller promises.
    let bytes =
        unsafe { std::slice::from_raw_parts((*oid).elements.cast::<u8>(), (*oid).length as usize) };
    wanted.contains(&bytes)
}

/// 1.2.840.113554.1.2.2
pub(in crate::krb5) const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// 1.2.840.113554.1.2.1.4
pub(super) const HOST_BASED_SERVICE: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];
/// 1.2.840.113554.1.2.2.1
pub(super) const KERBEROS_PRINCIPAL: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01];
/// 1.3.6.1.5.5.2
pub(super) const SPNEGO: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
/// 1.2.840.48018.1.2.2, as which a bare token may come from Windows
pub(super) const KERBEROS_MICROSOFT: &[u8] =
    &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02];
