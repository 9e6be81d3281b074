//! One file a section of `doorward.toml`. From top to bottom: the section's keys (name,
//! type, default, what becomes of a change, meaning), the settings that run, and how one
//! becomes the other. Nothing here is looked up, opened or bound yet.

mod certificate;
mod core;
mod core_address;
mod front;
mod log;
mod site;
mod sso;
mod top;

pub(crate) use self::certificate::{AuthorityFiles, CertificateFiles};
pub(crate) use self::core::{ActAs, Core, CoreKey, CoreTls, KeyRights, Realm, Strip};
pub(crate) use self::core_address::{CoreAddress, RemoteCore};
pub(crate) use self::front::{Front, HeaderNames};
pub(crate) use self::log::{AuditTarget, Log, LogFormat};
pub(crate) use self::site::{HostPattern, Requirement, Site};
pub(crate) use self::sso::{ChannelBinding, HelperProtocol, Kerberos, Ntlm, Sso, UserName};
pub(super) use self::top::{File, check};
pub(crate) use self::top::{RunAs, Settings};
