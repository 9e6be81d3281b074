//! Accepting a token.

#![allow(unsafe_code)]

use std::ptr;

use libgssapi_sys as sys;

use super::buffer::{Buffer, borrowed};
use super::context::{Context, acceptor, ends_at};
use super::credential::Credential;
use super::name::Name;
use super::oid::{KERBEROS, KERBEROS_MICROSOFT, is_one_of};
use super::status::{Failure, check};
use crate::clock::Timestamp;
use crate::krb5::bindings::Bindings;
use crate::krb5::pac;

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
    /// Accepts one token. The name of the acceptor is looked up only on wish,
    /// since it costs a sixth of the whole.
    pub(crate) fn accept(
        &self,
        mut context: Context,
        token: &[u8],
        bindings: Option<&Bindings>,
        name_acceptor: bool,
    ) -> Result<Accepted, Failure> {
        let mut input = borrowed(token);
        let mut channel = bindings.map(channel_bindings);
        let channel = channel.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        let mut client = Name::none();
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
                &mut context.0,
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
            has_pac: client.has_pac(),
            pac: client.pac(),
            acceptor: if name_acceptor { acceptor(&context) } else { None },
            channel_bound: flags & sys::GSS_C_CHANNEL_BOUND_FLAG != 0,
            ends_at: ends_at(context)?,
            reply,
        }))
    }
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
