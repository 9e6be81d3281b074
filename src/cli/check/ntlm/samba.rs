//! The settings in smb.conf, from testparm(1), which knows the defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::advice::ntlm as advice;
use crate::cli::check::bounded::program::{ask, beside};
use crate::cli::check::report::Finding;
use crate::config::section::Ntlm;

/// The settings that matter to NTLM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Samba {
    /// `ntlm auth`
    ntlm_auth: String,
    /// `map to guest`
    map_to_guest: String,
    /// `winbind use default domain`
    use_default_domain: String,
    /// `winbind separator`
    separator: String,
    /// `server role`
    role: String,
    /// `security`
    security: String,
    /// `workgroup`
    workgroup: String,
    /// `state directory`: winbind keeps its privileged pipe there.
    pub(super) state_directory: PathBuf,
}

impl Samba {
    /// Asks for them, in the smb.conf that the helpers read.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub(super) async fn read(ntlm: &Ntlm) -> Result<Self, Finding> {
        let file = smb_conf(&ntlm.ntlm_auth_args);
        let testparm = beside(&ntlm.ntlm_auth, "testparm").ok_or_else(|| {
            Finding::warn(
                CHECK,
                "there is no program testparm, so the file was not checked",
                advice::TESTPARM,
            )
        })?;
        let value = async |name| parameter(&testparm, name, file.as_deref()).await;
        Ok(Self {
            ntlm_auth: value("ntlm auth").await?,
            map_to_guest: value("map to guest").await?,
            use_default_domain: value("winbind use default domain").await?,
            separator: value("winbind separator").await?,
            role: value("server role").await?,
            security: value("security").await?,
            workgroup: value("workgroup").await?,
            state_directory: value("state directory").await?.into(),
        })
    }

    /// Whether this host belongs to a domain, as far as smb.conf says.
    pub(super) fn is_member(&self) -> bool {
        let joined = ["ads", "domain"].contains(&self.security.to_lowercase().as_str());
        match self.role.to_lowercase().as_str() {
            "standalone server" | "standalone" => false,
            "auto" => joined,
            _ => true,
        }
    }

    /// What is to be said about them.
    pub(super) fn findings(&self) -> Vec<Finding> {
        vec![self.protocol(), self.guests(), self.names()]
    }

    /// On a domain controller it rules who signs on here; a member's word counts
    /// for its own accounts only, and the domain's controllers decide.
    fn protocol(&self) -> Finding {
        let value = &self.ntlm_auth;
        let rules = self.role.to_lowercase().contains("domain controller");
        match value.to_lowercase().as_str() {
            "disabled" if rules => Finding::fail(
                CHECK,
                "ntlm auth = disabled: this domain controller accepts no NTLM at all",
                advice::PERMIT,
            ),
            "disabled" => Finding::warn(
                CHECK,
                "ntlm auth = disabled: accounts of this host cannot sign on by NTLM; for accounts of the domain, the domain controllers decide",
                advice::PERMIT_HERE,
            ),
            "yes" | "ntlmv1-permitted" => Finding::warn(
                CHECK,
                format!(
                    "ntlm auth = {value}: this Samba accepts NTLM version 1, which is not safe; Doorward does not"
                ),
                advice::VERSION_2,
            ),
            _ => Finding::ok(CHECK, format!("ntlm auth = {value}")),
        }
    }

    fn guests(&self) -> Finding {
        let value = &self.map_to_guest;
        if value.eq_ignore_ascii_case("never") {
            return Finding::ok(CHECK, format!("map to guest = {value}"));
        }
        Finding::warn(
            CHECK,
            format!(
                "map to guest = {value}: Samba's own services let unknown users in. As far as is known, ntlm_auth still refuses them"
            ),
            advice::NO_GUESTS,
        )
    }

    fn names(&self) -> Finding {
        let Self { separator, workgroup, .. } = self;
        let bare = if self.use_default_domain.eq_ignore_ascii_case("yes") {
            format!("winbind names users of {workgroup} without the domain")
        } else {
            "winbind names all users with their domain".to_owned()
        };
        Finding::ok(CHECK, format!("{bare} (winbind use default domain); separator {separator}"))
    }
}

async fn parameter(testparm: &Path, name: &str, file: Option<&str>) -> Result<String, Finding> {
    let mut arguments = vec!["-s".to_owned(), format!("--parameter-name={name}")];
    arguments.extend(file.map(str::to_owned));
    let mend = advice::SMB_CONF;
    let said = ask(testparm, arguments, LIMIT).await;
    match said {
        Ok(said) if said.succeeded => Ok(said.out),
        Ok(said) => {
            let file = file.unwrap_or("Samba's own file");
            Err(Finding::fail(CHECK, format!("{file} cannot be read: {}", said.last), mend))
        }
        Err(why) => Err(Finding::fail(CHECK, why, mend)),
    }
}

/// The file that the helpers are told to read: `--configfile=F`, or `--configfile F`.
fn smb_conf(arguments: &[String]) -> Option<String> {
    let mut given = arguments.iter();
    let mut found = None;
    while let Some(argument) = given.next() {
        if argument == "--configfile" {
            found = given.next().cloned();
        } else if let Some(file) = argument.strip_prefix("--configfile=") {
            found = Some(file.to_owned());
        }
    }
    found
}

const CHECK: &str = "smb.conf";

const LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

    fn samba() -> Samba {
        Samba {
            ntlm_auth: "ntlmv2-only".to_owned(),
            map_to_guest: "Never".to_owned(),
            use_default_domain: "No".to_owned(),
            separator: "\\".to_owned(),
            role: "auto".to_owned(),
            security: "ADS".to_owned(),
            workgroup: "LAB".to_owned(),
            state_directory: "/var/lib/samba".into(),
        }
    }

    #[test]
    fn ntlm_that_is_switched_off_fails_and_its_first_version_is_warned_about() {
        for (value, status) in [
            ("ntlmv2-only", Status::Ok),
            ("no", Status::Ok),
            ("mschapv2-and-ntlmv2-only", Status::Ok),
            ("ntlmv1-permitted", Status::Warn),
            ("Yes", Status::Warn),
            ("disabled", Status::Fail),
        ] {
            let role = "active directory domain controller".to_owned();
            let samba = Samba { ntlm_auth: value.to_owned(), role, ..samba() };
            assert_eq!(samba.protocol().status(), status, "{value}");
        }
    }

    #[test]
    fn a_member_cannot_switch_ntlm_off_for_its_domain() {
        let samba = Samba { ntlm_auth: "disabled".to_owned(), ..samba() };
        assert_eq!(samba.protocol().status(), Status::Warn);
    }

    #[test]
    fn guests_are_warned_about() {
        assert_eq!(samba().guests().status(), Status::Ok);
        for value in ["Bad User", "Bad Password", "Bad Uid"] {
            let samba = Samba { map_to_guest: value.to_owned(), ..samba() };
            assert_eq!(samba.guests().status(), Status::Warn, "{value}");
        }
    }

    #[test]
    fn a_member_is_one_by_role_or_by_security() {
        for (role, security, is_member) in [
            ("auto", "ADS", true),
            ("auto", "auto", false),
            ("auto", "USER", false),
            ("member server", "auto", true),
            ("active directory domain controller", "auto", true),
            ("standalone server", "ADS", false),
        ] {
            let (role, security) = (role.to_owned(), security.to_owned());
            let samba = Samba { role, security, ..samba() };
            assert_eq!(samba.is_member(), is_member, "{} {}", samba.role, samba.security);
        }
    }

    #[test]
    fn the_file_is_the_one_that_the_helpers_read() {
        let file = |arguments: &[&str]| {
            let given: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            smb_conf(&given)
        };
        assert_eq!(file(&[]), None);
        assert_eq!(file(&["--configfile=/a", "-d0"]).as_deref(), Some("/a"));
        assert_eq!(file(&["--configfile", "/a"]).as_deref(), Some("/a"));
        assert_eq!(file(&["--configfile=/a", "--configfile=/b"]).as_deref(), Some("/b"));
    }
}
