//! The top of the file.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::core_address::CoreAddress;
use super::{Core, Front, Log, Site, Sso};
use super::{core, front, log, site, sso};
use crate::config::reading::{Diagnostics, FromToml, Located, Location, section, wrong_type};
use crate::config::surroundings::Surroundings;
use crate::config::value_types::account::{Account, name_or_id};
use crate::config::value_types::{Unread, is_host_name};

section! {
    /// The whole of `doorward.toml`.
    File {
        server_name: String = r#""doorward""#, Restart, "Name of this node.";
        server_hostname: String = r#""""#, Restart, "Full name of the host; empty: the system's name.";
        state_path: PathBuf = r#""/var/lib/doorward""#, Restart, "Folder of the session store and of generated keys.";
        run_as_user: RunAsUser = r#""""#, Restart, "Account that Doorward changes to after it has opened the sockets.";
        run_as_group: RunAsGroup = r#""""#, Restart, "Group that Doorward changes to after it has opened the sockets.";
        log: log::Written = "{}", Section, "What is logged, and where.";
        front: front::Written = "{}", Section, "The front's sockets and limits.";
        sso: sso::Written = "{}", Section, "How clients may sign on.";
        site: Vec<Located<site::Written>> = "[]", Section, "A web application behind the front.";
        core: core::Written = "{}", Section, "The core's socket and policy.";
    }
    absent {
        ldap: Unread = "{}", Ignored, "The LDAP directory of users and groups.";
    }
}

/// Everything `doorward.toml` can say, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub server_name: String,
    /// The host's full name, from the file or the system.
    pub server_hostname: String,
    pub state_path: PathBuf,
    /// Whom to become once the sockets are open; `None`: who started it.
    pub run_as: Option<RunAs>,
    pub log: Log,
    pub front: Front,
    pub sso: Sso,
    /// The sites, the most specific first.
    pub sites: Vec<Site>,
    pub core: Core,
}

/// `run_as_user` and `run_as_group`, as written: digits are an id, all else a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// The account.
    pub user: String,
    /// The group; `None`: the account's primary one.
    pub group: Option<String>,
}

/// Reports everything that does not fit. The settings run only if nothing was reported.
pub(in crate::config) fn check(
    file: &File,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Settings {
    let state_path = if file.state_path.is_set() {
        file.state_path.value.clone()
    } else {
        surroundings.state_path()
    };
    let core_socket = match &file.core.listen.value {
        CoreAddress::Unix(path) if file.core.listen.is_set() => path.clone(),
        CoreAddress::Unix(_) => surroundings.core_socket(&state_path),
        CoreAddress::Https(_) => {
            let sentence = "is a unix socket; set the address of TLS in core.listen_tls";
            diagnostics.error(&file.core.listen.at, sentence);
            surroundings.core_socket(&state_path)
        }
    };
    if file.server_name.is_empty() || file.server_name.contains(char::is_whitespace) {
        diagnostics.error(&file.server_name.at, "is not a name; write one word");
    }
    let front = front::check(&file.front, &core_socket, surroundings, diagnostics);
    let server_hostname = server_hostname(&file.server_hostname, surroundings, diagnostics);
    let sso = sso::check(
        &file.sso,
        &file.front,
        &file.core,
        front.clients.is_some(),
        surroundings,
        diagnostics,
    );
    let around = site::Around {
        front: &file.front,
        sso: &file.sso,
        core: &file.core,
        offered: &sso.mechanisms,
        addresses: front.addresses(),
        name: &server_hostname,
    };
    let sites = site::check(&file.site, &around, diagnostics);
    Settings {
        server_name: file.server_name.value.clone(),
        server_hostname,
        run_as: run_as(file, diagnostics),
        log: log::check(&file.log),
        front,
        sites,
        sso,
        core: core::check(&file.core, core_socket, surroundings, diagnostics),
        state_path,
    }
}

fn server_hostname(
    given: &Located<String>,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> String {
    let name = given.to_ascii_lowercase();
    if name.is_empty() {
        return surroundings.hostname.clone();
    }
    if !is_host_name(&name) {
        diagnostics
            .error(&given.at, format!("{name:?} is not a host name; write it as gate.example.org"));
    }
    name
}

fn run_as(file: &File, diagnostics: &mut Diagnostics<'_>) -> Option<RunAs> {
    let group = file.run_as_group.0.clone();
    match &file.run_as_user.0 {
        Some(user) => Some(RunAs { user: user.0.clone(), group }),
        None => {
            if group.is_some() {
                diagnostics.error(
                    &file.run_as_group.at,
                    "needs run_as_user; set that too, or remove this",
                );
            }
            None
        }
    }
}

/// `run_as_user`: an account or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct RunAsUser(pub(in crate::config) Option<Account>);

/// `run_as_group`: a group, by its name or its gid in digits, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct RunAsGroup(pub(in crate::config) Option<String>);

impl FromToml for RunAsUser {
    fn type_name() -> String {
        "account name or uid".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref().as_str() {
            Some("") => Some(Self(None)),
            _ => {
                let user = name_or_id(value, ["uid", "an account", "/etc/passwd"], at, diagnostics);
                user.map(|user| Self(Some(Account(user))))
            }
        }
    }
}

impl FromToml for RunAsGroup {
    fn type_name() -> String {
        "group name or gid".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(name) if name.is_empty() => Some(Self(None)),
            DeValue::Integer(_) | DeValue::String(_) => {
                let group = name_or_id(value, ["gid", "a group", "/etc/group"], at, diagnostics);
                group.map(|group| Self(Some(group)))
            }
            _ => wrong_type::<Self>(value, "write \"name\" or a number", at, diagnostics),
        }
    }
}
