//! One file a section of `doorward.toml`. From top to bottom: the section's keys (name,
//! type, default, when a change takes effect, meaning), the settings that run, and how one
//! becomes the other. Nothing here is looked up, opened or bound yet.
//! What a setting means is said once, with its key: a field of the settings that run says
//! only what is different there.

mod certificate;
mod core;
mod core_address;
mod front;
mod log;
mod site;
mod sso;
mod top;

pub(crate) use self::certificate::{AuthorityFiles, CertificateFiles};
pub(crate) use self::core::{ActAs, Core, CoreKey, CoreTls, KeyRights};
pub(crate) use self::core_address::{CoreAddress, RemoteCore};
pub(crate) use self::front::{Front, HeaderNames};
pub(crate) use self::log::{AuditTarget, Log, LogFormat};
pub(crate) use self::site::{HostPattern, Requirement, Site};
pub(crate) use self::sso::{ChannelBinding, HelperProtocol, Kerberos, Ntlm, Sso};
pub(super) use self::top::{File, check};
pub(crate) use self::top::{RunAs, Settings};
