//! Channel bindings of GSSAPI.

/// The application data of channel bindings, which name one TLS channel
/// (RFC 5929 section 4, RFC 5056 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bindings(Vec<u8>);

impl Bindings {
    /// The binding of a channel whose server certificate has this hash.
    pub(crate) fn tls_server_end_point(certificate_hash: &[u8]) -> Self {
        Self([b"tls-server-end-point:", certificate_hash].concat())
    }

    /// A binding that is no channel's.
    pub(crate) fn of_no_channel() -> Self {
        Self(b"doorward: no channel".to_vec())
    }

    /// The application data itself.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
