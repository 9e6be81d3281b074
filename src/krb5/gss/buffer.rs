//! Bytes on their way to the library and back.

#![allow(unsafe_code)]

use std::ptr;

use libgssapi_sys as sys;

/// A buffer that the library fills and owns.
pub(in crate::krb5) struct Buffer(pub(in crate::krb5) sys::gss_buffer_desc);

impl Buffer {
    pub(in crate::krb5) const fn empty() -> Self {
        Self(sys::gss_buffer_desc { length: 0, value: ptr::null_mut() })
    }

    pub(in crate::krb5) fn to_vec(&self) -> Vec<u8> {
        if self.0.value.is_null() || self.0.length == 0 {
            return Vec::new();
        }
        // SAFETY: the library filled `length` bytes at `value`, which live as long as we do.
        unsafe { std::slice::from_raw_parts(self.0.value.cast::<u8>(), self.0.length) }.to_vec()
    }

    pub(in crate::krb5) fn into_option(self) -> Option<Vec<u8>> {
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

/// A buffer for the library to read; valid as long as `bytes`.
pub(in crate::krb5) fn borrowed(bytes: &[u8]) -> sys::gss_buffer_desc {
    sys::gss_buffer_desc { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
}
