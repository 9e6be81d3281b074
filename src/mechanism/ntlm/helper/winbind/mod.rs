//! What winbind says about domains and names, by its own program `wbinfo`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_lc_rs::rand;
use moka::sync::Cache;
use thiserror::Error;
use tokio::process::Command;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::process::environment;
use super::values::{Account, Domain, Domains};
use crate::config::section::Ntlm;

pub(super) mod account;

/// Why winbind does not say. Displayed as a fragment for a log line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Silent {
    /// The program is not installed.
    #[error("there is no wbinfo to ask it")]
    NoProgram,
    /// It did not answer in time.
    #[error("wbinfo did not answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It answered that it cannot.
    #[error("wbinfo: {0}")]
    Refused(String),
}

/// Asks winbind.
#[derive(Debug)]
pub(super) struct Winbind {
    program: Option<PathBuf>,
    left_out: bool,
    limit: Duration,
    domains: ArcSwapOption<Domains>,
    /// Held by who asks for them before the probe has.
    first: Mutex<()>,
    /// Names that were looked up, and whose they are. What is not known is asked
    /// again: it is asked only after a right password.
    known: Cache<String, Account>,
    at_once: Semaphore,
}

impl Winbind {
    /// Finds `wbinfo` beside `ntlm_auth`, else in `/usr/bin`. Where `ntlm_auth` is
    /// told a password it verifies by itself, without winbind: then nothing is asked.
    pub(super) fn new(settings: &Ntlm) -> Self {
        let beside = settings.ntlm_auth.with_file_name("wbinfo");
        let candidates = [beside, Path::new("/usr/bin/wbinfo").to_owned()];
        let program = candidates.into_iter().find(|path| path.is_file());
        Self {
            program: program.filter(|_| !without_winbind(settings)),
            left_out: without_winbind(settings),
            limit: settings.helper_timeout,
            domains: ArcSwapOption::empty(),
            first: Mutex::new(()),
            known: Cache::builder().max_capacity(REMEMBERED).time_to_live(REMEMBER).build(),
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// The domains, as winbind named them last. Never waits.
    pub(super) fn domains(&self) -> Option<Arc<Domains>> {
        self.domains.load_full()
    }

    /// The domains; where they are not known yet, as after the start, winbind is
    /// asked now. `None` where it does not say.
    pub(super) async fn domains_or_ask(&self) -> Option<Arc<Domains>> {
        if let Some(known) = self.domains() {
            return Some(known);
        }
        let _alone = self.first.lock().await;
        if self.domains().is_none() {
            match self.refresh().await {
                Ok(()) | Err(Silent::NoProgram) => {}
                Err(silent) => tracing::warn!(error = %silent, "the domains are not known"),
            }
        }
        self.domains()
    }

    /// Asks for the domains anew. What was known stays known when winbind does
    /// not answer.
    pub(super) async fn refresh(&self) -> Result<(), Silent> {
        let own = self.run("--own-domain").await?;
        let separator = self.run("--separator").await?;
        let listed = self.run_all(&["--trusted-domains", "--verbose"]).await?;
        let domains = domains(own.trim(), separator.trim(), &listed);
        let domains = domains.ok_or_else(|| Silent::Refused("no domain of its own".to_owned()))?;
        self.domains.store(Some(Arc::new(domains)));
        Ok(())
    }

    /// Whether winbind runs.
    pub(super) async fn ping(&self) -> Result<(), Silent> {
        self.run("--ping").await.map(drop)
    }

    /// Whether winbind reaches a domain controller that still trusts this host.
    pub(super) async fn ping_dc(&self) -> Result<(), Silent> {
        self.run("--ping-dc").await.map(drop)
    }

    /// Whether the domain still takes this host's secret.
    pub(super) async fn check_secret(&self) -> Result<(), Silent> {
        self.run("--check-secret").await.map(drop)
    }

    /// Whether `ntlm_auth` verifies by itself, so that nobody else can be asked.
    pub(super) const fn is_left_out(&self) -> bool {
        self.left_out
    }

    /// The account of this name (`DOMAIN\user` with winbind's separator, or
    /// `user@suffix`), as the directory names it; `None` where it is no user's.
    pub(super) async fn account(&self, name: &str) -> Result<Option<Account>, Silent> {
        // Whatever the limits of a directory and of a command line: longer is no name.
        if name.len() > 1024 || name.chars().any(char::is_control) {
            return Ok(None);
        }
        if let Some(account) = self.known.get(name) {
            return Ok(Some(account));
        }
        let found = match self.run(&format!("--name-to-sid={name}")).await {
            Ok(found) => found,
            // The same words for a name that is not there and a domain that is not.
            Err(Silent::Refused(said)) if self.ping().await.is_ok() => {
                tracing::debug!(name, %said, "winbind knows no such name");
                return Ok(None);
            }
            Err(silent) => return Err(silent),
        };
        let Some(sid) = user_sid(&found) else { return Ok(None) };
        let account = self.named(sid).await?;
        if let Some(account) = &account {
            self.known.insert(name.to_owned(), account.clone());
        }
        Ok(account)
    }

    /// The account of a SID. winbind answers from memory how it was asked for the
    /// SID, however that was spelt; so it is asked together with a number that it
    /// cannot remember, and has to ask the directory.
    async fn named(&self, sid: &str) -> Result<Option<Account>, Silent> {
        let Some((of_domain, rid)) = sid.rsplit_once('-') else { return Ok(None) };
        let remembered = self.run(&format!("--sid-to-name={sid}")).await?;
        let separator = self.domains().map_or('\\', |domains| domains.separator);
        let Some((domain, _)) = remembered.split_once(separator) else { return Ok(None) };
        let known = self.run(&format!("--domain-info={domain}")).await?;
        if domain_sid(&known) != Some(of_domain) {
            return Ok(None);
        }
        let mut chance = [0; 4];
        rand::fill(&mut chance)
            .map_err(|_| Silent::Refused("the system has no random numbers".to_owned()))?;
        let unknown = UNUSED + u32::from_le_bytes(chance) % UNUSED;
        let (rids, domain) =
            (format!("--lookup-rids={rid},{unknown}"), format!("--domain={domain}"));
        let named = self.run_all(&[&rids, &domain]).await?;
        Ok(user_of(&named, rid).map(|account| Account { sid: Some(sid.to_owned()), ..account }))
    }

    async fn run(&self, argument: &str) -> Result<String, Silent> {
        self.run_all(&[argument]).await
    }

    async fn run_all(&self, arguments: &[&str]) -> Result<String, Silent> {
        let program = self.program.as_ref().ok_or(Silent::NoProgram)?;
        let run = async {
            // Never closed, so there is always a permit in the end.
            let _permit = self.at_once.acquire().await;
            Command::new(program)
                .args(arguments)
                .env_clear()
                .envs(environment())
                .stdin(Stdio::null())
                .process_group(0)
                .kill_on_drop(true)
                .output()
                .await
        };
        let output = timeout(self.limit, run).await.map_err(|_| Silent::Late(self.limit))?;
        let output = output.map_err(|error| Silent::Refused(error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let status = errors.lines().chain(told.lines()).find(|line| line.contains("NT_STATUS_"));
        let said = status.or_else(|| errors.lines().next()).unwrap_or("no reason given");
        Err(Silent::Refused(said.chars().filter(|c| !c.is_control()).take(200).collect()))
    }
}

/// Whether `ntlm_auth` is told the one password that is right (ntlm_auth(1)
/// `--password`), and asks nobody.
pub(super) fn without_winbind(settings: &Ntlm) -> bool {
    settings.ntlm_auth_args.iter().any(|argument| argument.starts_with("--password"))
}

fn domains(own: &str, separator: &str, listed: &str) -> Option<Domains> {
    // What wbinfo prints of an answer that did not come.
    if own.is_empty() || own == "(null)" {
        return None;
    }
    let (mine, others): (Vec<_>, _) =
        list(listed).into_iter().partition(|domain| domain.netbios.eq_ignore_ascii_case(own));
    let own =
        mine.into_iter().next().unwrap_or_else(|| Domain { netbios: own.to_owned(), dns: None });
    Some(Domains { own, others, separator: separator.chars().next()? })
}

/// Reads `wbinfo --trusted-domains --verbose`: a table whose columns begin where
/// their titles do.
fn list(table: &str) -> Vec<Domain> {
    let mut lines = table.lines();
    let columns = lines
        .next()
        .and_then(|titles| Some((titles.find("DNS Domain")?, titles.find("Trust Type")?)));
    let Some((dns, kind)) = columns else { return Vec::new() };
    lines
        .filter_map(|line| {
            let netbios = line.get(..dns)?.trim();
            let dns = line.get(dns..kind)?.trim();
            // Accounts of no domain at all.
            if netbios.is_empty() || netbios == "BUILTIN" {
                return None;
            }
            let dns = (!dns.is_empty()).then(|| dns.to_owned());
            Some(Domain { netbios: netbios.to_owned(), dns })
        })
        .collect()
}

/// Reads `S-1-5-… SID_USER (1)`.
fn user_sid(found: &str) -> Option<&str> {
    let (sid, kind) = found.trim_end().split_once(' ')?;
    let is_sid = sid.strip_prefix("S-1-")?.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (is_sid && kind == "SID_USER (1)").then_some(sid)
}

/// Reads the line `SID : S-1-5-…` of a domain.
fn domain_sid(known: &str) -> Option<&str> {
    known
        .lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == "SID"))
        .map(|(_, sid)| sid.trim())
}

/// Reads the user of a number:
///
/// ```text
/// Domain: LAB
///      1103: alice (SID_USER)
/// ```
fn user_of(named: &str, rid: &str) -> Option<Account> {
    let domain = named.lines().find_map(|line| line.strip_prefix("Domain: "))?;
    let user = named.lines().find_map(|line| {
        line.trim_start().strip_prefix(rid)?.strip_prefix(": ")?.strip_suffix(" (SID_USER)")
    })?;
    Account::new(domain.trim(), user)
}

/// Numbers of accounts end below this, and twice it is still one.
const UNUSED: u32 = 1 << 29;

const REMEMBERED: u64 = 10_000;
const REMEMBER: Duration = Duration::from_secs(300);

/// Programs that run at once.
const AT_ONCE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::HelperProtocol;

    const TABLE: &str = "\
Domain Name     DNS Domain                                                       Trust Type  Transitive  In   Out  \n\
BUILTIN                                                                          Local       \n\
LAB             lab.example                                                      RWDC        \n\
TRUSTED         trusted.example                                                  Forest      Yes         Yes  No\n\
OLD                                                                              External    No          Yes  No\n";

    #[test]
    fn domains_are_read_from_the_table() {
        let domain = |netbios: &str, dns: Option<&str>| Domain {
            netbios: netbios.to_owned(),
            dns: dns.map(str::to_owned),
        };
        assert_eq!(
            domains("LAB", "\\", TABLE),
            Some(Domains {
                own: domain("LAB", Some("lab.example")),
                others: vec![domain("TRUSTED", Some("trusted.example")), domain("OLD", None)],
                separator: '\\',
            })
        );
        let bare = domains("LAB", "+", "something else\n").unwrap();
        assert_eq!((bare.own, bare.others.len()), (domain("LAB", None), 0));
    }

    /// A `wbinfo` that remembers `john` as it was asked for him, and a directory that does not.
    const WBINFO: &str = r#"#!/bin/sh
case "$1" in
--own-domain) echo LAB ;;
--separator) echo '\' ;;
--trusted-domains) ;;
--name-to-sid=*) echo 'S-1-5-21-1-2-3-1103 SID_USER (1)' ;;
--sid-to-name=*) echo 'LAB\Jöhn 1' ;;
--domain-info=LAB) printf 'Name : LAB\nSID : S-1-5-21-1-2-%s\n' "$(cat "$0.domain")" ;;
--lookup-rids=1103,*) echo "${1#*,}" >>"$0.asked"
    printf 'Domain: LAB\n 1103: john (SID_USER)\n' ;;
*) exit 1 ;;
esac
"#;

    #[tokio::test]
    async fn the_name_is_the_directorys_and_not_the_one_that_was_asked_for() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let wbinfo = directory.path().join("wbinfo");
        std::fs::write(&wbinfo, WBINFO).unwrap();
        std::fs::set_permissions(&wbinfo, std::fs::Permissions::from_mode(0o755)).unwrap();
        let settings = Ntlm {
            ntlm_auth: directory.path().join("ntlm_auth"),
            ntlm_auth_args: Vec::new(),
            ..crate::mechanism::ntlm::helper::testing::settings(HelperProtocol::NtlmServer1)
        };
        let winbind = Winbind::new(&settings);
        std::fs::write(directory.path().join("wbinfo.domain"), "3").unwrap();
        for spelling in [r"LAB\Jöhn", r"LAB\ｊｏｈｎ"] {
            let account = winbind.account(spelling).await.unwrap().unwrap();
            assert_eq!(account.to_string(), r"LAB\john", "{spelling}");
            assert_eq!(account.sid.as_deref(), Some("S-1-5-21-1-2-3-1103"));
        }
        let asked = std::fs::read_to_string(directory.path().join("wbinfo.asked")).unwrap();
        let asked: Vec<u32> = asked.lines().map(|line| line.parse().unwrap()).collect();
        assert!(asked.len() == 2 && asked[0] != asked[1], "{asked:?}");
        assert!(asked.iter().all(|rid| (UNUSED..2 * UNUSED).contains(rid)), "{asked:?}");
        // The number is of another domain than the one that would be asked.
        std::fs::write(directory.path().join("wbinfo.domain"), "4").unwrap();
        assert_eq!(winbind.account(r"LAB\other").await, Ok(None));
    }

    #[test]
    fn a_winbind_that_is_silent_has_no_domain() {
        for own in ["", "(null)"] {
            assert_eq!(domains(own, "\\", TABLE), None, "{own:?}");
        }
        assert_eq!(domains("LAB", "", TABLE), None);
    }

    #[test]
    fn only_a_users_sid_and_name_are_read() {
        assert_eq!(user_sid("S-1-5-21-1-1103 SID_USER (1)\n"), Some("S-1-5-21-1-1103"));
        for other in ["S-1-5-21-1-513 SID_DOM_GROUP (2)\n", "x SID_USER (1)\n", "", "S-1-5"] {
            assert_eq!(user_sid(other), None, "{other}");
        }
        let named =
            "Domain: LAB\n      1103: jürgen m (SID_USER)\n 599771123: (null) (SID_UNKNOWN)\n";
        assert_eq!(user_of(named, "1103"), Account::new("LAB", "jürgen m"));
        for other in ["599771123", "110", "103", "11"] {
            assert_eq!(user_of(named, other), None, "{other}");
        }
        assert_eq!(user_of("Domain: LAB\n 513: Domain Users (SID_DOM_GROUP)\n", "513"), None);
        let known = "Name              : LAB\nSID               : S-1-5-21-1-2-3\n";
        assert_eq!(domain_sid(known), Some("S-1-5-21-1-2-3"));
        assert_eq!(domain_sid("Name : LAB\n"), None);
    }
}
