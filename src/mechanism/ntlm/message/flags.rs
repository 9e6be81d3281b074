//! NegotiateFlags (MS-NLMP 2.2.2.5).

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

/// What the sides can do and have agreed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(pub u32);

impl Flags {
    /// Names are UTF-16.
    pub(crate) const UNICODE: Self = Self(0x0000_0001);
    /// Names are in the client's OEM character set.
    pub(crate) const OEM: Self = Self(0x0000_0002);
    /// The client wants the target name.
    pub(crate) const REQUEST_TARGET: Self = Self(0x0000_0004);
    /// Messages are to be signed.
    pub(crate) const SIGN: Self = Self(0x0000_0010);
    /// Messages are to be encrypted.
    pub(crate) const SEAL: Self = Self(0x0000_0020);
    /// NTLM, of any version.
    pub(crate) const NTLM: Self = Self(0x0000_0200);
    /// Signatures are there, if need be without content.
    pub(crate) const ALWAYS_SIGN: Self = Self(0x0000_8000);
    /// The target name is that of a domain.
    pub(crate) const TARGET_TYPE_DOMAIN: Self = Self(0x0001_0000);
    /// Keys for each direction, and HMAC for signatures.
    pub(crate) const EXTENDED_SESSION_SECURITY: Self = Self(0x0008_0000);
    /// The challenge holds target information.
    pub(crate) const TARGET_INFO: Self = Self(0x0080_0000);
    /// The version of the sender's system is told.
    pub(crate) const VERSION: Self = Self(0x0200_0000);
    /// Keys of 128 bits.
    pub(crate) const BITS_128: Self = Self(0x2000_0000);
    /// The client chooses the session key and sends it encrypted.
    pub(crate) const KEY_EXCHANGE: Self = Self(0x4000_0000);
    /// Keys of 56 bits.
    pub(crate) const BITS_56: Self = Self(0x8000_0000);

    /// Whether all of these are set.
    pub(crate) const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether one of these is set at least.
    pub(crate) const fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Flags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}
