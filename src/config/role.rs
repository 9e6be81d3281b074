//! What each role needs of the settings, and no more: the core does not see the front's
//! sections, nor the front the core's.

use std::path::PathBuf;

use super::section::{
    AuditTarget, Core, CoreAddress, CoreTls, Front, Kerberos, Settings, Site, Sso,
};
use crate::wire::Mechanism;

/// What a core needs.
#[derive(Clone, Debug)]
pub(crate) struct CoreSettings {
    pub server_name: String,
    pub state_path: PathBuf,
    pub core: Core,
    /// How names of accounts become logins, and with which keys passwords are proved. The
    /// keytab's realms are the core's where it has no `[[core.realm]]`.
    pub kerberos: Kerberos,
}

/// What a front needs.
#[derive(Clone, Debug)]
pub(crate) struct FrontSettings {
    pub server_hostname: String,
    pub state_path: PathBuf,
    /// The front tells when the disk of this file is full.
    pub audit: AuditTarget,
    pub front: Front,
    pub sso: Sso,
    /// The most specific first.
    pub sites: Vec<Site>,
    /// The realms of `[[core.realm]]`: without their KDCs no password can be checked, and
    /// the front tells.
    pub realms: Vec<String>,
    /// The TLS of the core that this front uses, where the same file sets it: the front
    /// tells when its certificates end.
    pub core_tls: Option<CoreTls>,
}

impl Settings {
    /// The core's part.
    pub(crate) fn for_core(&self) -> CoreSettings {
        CoreSettings {
            server_name: self.server_name.clone(),
            state_path: self.state_path.clone(),
            core: self.core.clone(),
            kerberos: self.sso.kerberos.clone(),
        }
    }

    /// The front's part.
    pub(crate) fn for_front(&self) -> FrontSettings {
        let own_core = self.front.core == CoreAddress::Unix(self.core.listen.clone());
        FrontSettings {
            server_hostname: self.server_hostname.clone(),
            state_path: self.state_path.clone(),
            audit: self.log.audit.clone(),
            front: self.front.clone(),
            sso: self.sso.clone(),
            sites: self.sites.clone(),
            realms: self.core.realms.iter().map(|realm| realm.realm.clone()).collect(),
            core_tls: self.core.tls.clone().filter(|_| own_core),
        }
    }
}

impl FrontSettings {
    /// Whether anybody may sign on by this, at a site or on Doorward's own pages.
    pub(crate) fn offers(&self, mechanism: Mechanism) -> bool {
        let mut lists =
            self.sites.iter().map(|site| &site.mechanisms).chain([&self.sso.mechanisms]);
        self.sso.enable_sso && lists.any(|offered| offered.contains(&mechanism))
    }

    /// Whether a list of mechanisms that somebody wrote has this one in it.
    pub(crate) fn asks_for(&self, mechanism: Mechanism) -> bool {
        let sites = self.sites.iter().map(|site| (&site.mechanisms, site.mechanisms_by_default));
        let general = (&self.sso.mechanisms, self.sso.mechanisms_by_default);
        sites.chain([general]).any(|(list, by_default)| !by_default && list.contains(&mechanism))
    }
}
