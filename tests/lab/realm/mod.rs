//! The Active Directory domain and the MIT realm, and what they give out.

pub mod kdc;
pub mod winbind;

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::lab::{lab_path, output, temp_dir};

pub use crate::lab::{Ticket, TokenOptions};

/// The realms of this test run. The first to ask brings them up.
pub fn realm() -> &'static Realm {
    static REALM: OnceLock<Realm> = OnceLock::new();
    REALM.get_or_init(Realm::up)
}

/// The lab's two realms: `LAB.EXAMPLE` by Samba, `MIT.EXAMPLE` by MIT's KDC.
///
/// Users: `alice`, `bob` (in `inner`, which is in `outer`), `carol` (disabled), `dora`
/// (in 1,000 groups), `jürgen`; alice and bob are in `webusers`. `alice@MIT.EXAMPLE` is
/// somebody else. A test that changes an account makes one of its own, with
/// [`Realm::add_user`] or [`Realm::add_service`]: the others are shared.
pub struct Realm {
    /// Where it lives.
    pub dir: PathBuf,
    /// `LAB.EXAMPLE`
    pub name: String,
    /// `LAB`, the NetBIOS name
    pub domain: String,
    /// `lab.example`
    pub dns: String,
    /// `MIT.EXAMPLE`
    pub mit_name: String,
    /// For clients of the domain.
    pub krb5_config: PathBuf,
    /// For clients of the MIT realm.
    pub krb5_config_mit: PathBuf,
    /// For acceptors: knows both realms.
    pub krb5_config_two_realms: PathBuf,
    /// For `ntlm_auth --configfile`.
    pub smb_conf: PathBuf,
    /// HTTP/web and HTTP/alias of the domain.
    pub web_keytab: PathBuf,
    /// HTTP/other of the domain.
    pub other_keytab: PathBuf,
    /// HTTP/web of the MIT realm.
    pub mit_keytab: PathBuf,
    /// `web_keytab` and `mit_keytab` in one.
    pub both_keytab: PathBuf,
    env: HashMap<String, String>,
    tickets: Mutex<HashMap<String, Ticket>>,
    _dir: tempfile::TempDir,
}

/// A service account made for one test.
pub struct Service {
    /// The part before the domain: `spin` for `HTTP/spin.lab.example`.
    pub name: String,
    /// `spin.lab.example`, which resolves to loopback.
    pub host: String,
    /// Its keys as they were when it was made.
    pub keytab: PathBuf,
}

impl Realm {
    fn up() -> Realm {
        let home = temp_dir("realm-");
        let (_, err) = output(Command::new(lab_path("realm.sh")).arg("up").arg(home.path()));
        let text = std::fs::read_to_string(home.path().join("env")).unwrap_or_default();
        assert!(home.path().join("up").exists(), "the realm does not come up: {err}");
        let env: HashMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let path = |key: &str| PathBuf::from(&env[key]);
        Realm {
            dir: home.path().to_owned(),
            name: env["REALM"].clone(),
            domain: env["DOMAIN"].clone(),
            dns: env["DNS"].clone(),
            mit_name: env["MIT_REALM"].clone(),
            krb5_config: path("KRB5_CONFIG"),
            krb5_config_mit: path("KRB5_CONFIG_MIT"),
            krb5_config_two_realms: path("KRB5_CONFIG_TWO_REALMS"),
            smb_conf: path("SMB_CONF"),
            web_keytab: path("WEB_KEYTAB"),
            other_keytab: path("OTHER_KEYTAB"),
            mit_keytab: path("MIT_KEYTAB"),
            both_keytab: path("BOTH_KEYTAB"),
            env,
            tickets: Mutex::default(),
            _dir: home,
        }
    }

    /// `web.lab.example` for `web`.
    pub fn host(&self, name: &str) -> String {
        format!("{name}.{}", self.dns)
    }

    /// The password of one of the realm's own users; `alice@MIT.EXAMPLE` is one.
    #[track_caller]
    pub fn password(&self, user: &str) -> &str {
        let key = match user {
            "jürgen" => "JUERGEN".to_owned(),
            _ if user == format!("alice@{}", self.mit_name) => "MIT_ALICE".to_owned(),
            _ => user.to_uppercase().replace('-', "_"),
        };
        let found = self.env.get(&format!("{key}_PASSWORD"));
        found.unwrap_or_else(|| panic!("the lab has no user {user}"))
    }

    /// A ticket of the user, the same one for every test that asks.
    #[track_caller]
    pub fn ticket(&self, user: &str) -> Ticket {
        let mut tickets = self.tickets.lock().unwrap_or_else(|e| e.into_inner());
        if !tickets.contains_key(user) {
            let fresh = self.fresh_ticket(user, &[]).unwrap_or_else(|e| panic!("{user}: {e}"));
            tickets.insert(user.to_owned(), fresh);
        }
        tickets[user].clone()
    }

    /// Signs the user on with the password; `options` are kinit's. An error is what
    /// kinit said.
    pub fn fresh_ticket(&self, user: &str, options: &[&str]) -> Result<Ticket, String> {
        let (_, ccache) = tempfile::Builder::new()
            .suffix(".ccache")
            .tempfile_in(&self.dir)
            .and_then(|file| file.keep().map_err(|e| e.error))
            .unwrap();
        let (_, err) = output(self.script("ticket").arg(user).arg(&ccache).args(options));
        if !err.is_empty() {
            return Err(err);
        }
        let foreign = user.ends_with(&format!("@{}", self.mit_name));
        let krb5_config = if foreign { &self.krb5_config_mit } else { &self.krb5_config };
        Ok(Ticket { ccache, krb5_config: krb5_config.clone() })
    }

    /// Signs somebody on as `name`, with a password of the test's; `options` are
    /// kinit's. An error is what kinit said.
    pub fn kinit(&self, name: &str, password: &str, options: &[&str]) -> Result<Ticket, String> {
        let (_, ccache) = tempfile::Builder::new()
            .suffix(".ccache")
            .tempfile_in(&self.dir)
            .and_then(|file| file.keep().map_err(|e| e.error))
            .unwrap();
        let mut kinit = Command::new("kinit");
        kinit.arg("-c").arg(&ccache).args(options).arg(name);
        kinit.env("KRB5_CONFIG", &self.krb5_config);
        kinit.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = kinit.spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        match done.status.success() {
            true => Ok(Ticket { ccache, krb5_config: self.krb5_config.clone() }),
            false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        }
    }

    /// Runs samba-tool on the domain's directory.
    #[track_caller]
    pub fn samba_tool(&self, args: &[&str]) {
        let mut command = Command::new("samba-tool");
        command.args(args).arg(format!("--configfile={}", self.smb_conf.display()));
        // Keytabs are exported from the configuration's own directory.
        if !args.contains(&"exportkeytab") {
            command.arg("-H").arg(self.dir.join("ad/private/sam.ldb"));
        }
        let (_, err) = output(&mut command);
        assert_eq!(err, "", "samba-tool {args:?}");
    }

    /// Adds an account with this password, whose name may be any: a user, or a
    /// computer where it ends with `$`.
    #[track_caller]
    pub fn add_account(&self, name: &str, password: &str) {
        match name.strip_suffix('$') {
            None => self.samba_tool(&["user", "add", name, password]),
            Some(computer) => {
                self.samba_tool(&["computer", "add", computer]);
                self.samba_tool(&[
                    "user",
                    "setpassword",
                    name,
                    &format!("--newpassword={password}"),
                ]);
            }
        }
    }

    /// Sets an attribute of a user, in the directory itself.
    #[track_caller]
    pub fn set_attribute(&self, user: &str, attribute: &str, value: &str) {
        let domain: Vec<String> = self.dns.split('.').map(|part| format!("DC={part}")).collect();
        let ldif = format!(
            "dn: CN={user},CN=Users,{}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n",
            domain.join(",")
        );
        let file = tempfile::NamedTempFile::new_in(&self.dir).unwrap();
        std::fs::write(file.path(), ldif).unwrap();
        let mut command = Command::new("ldbmodify");
        command.arg(format!("--configfile={}", self.smb_conf.display()));
        command.arg("-H").arg(self.dir.join("ad/private/sam.ldb")).arg(file.path());
        let (_, err) = output(&mut command);
        assert_eq!(err, "", "{user}: {attribute}");
    }

    /// Adds a user, and gives the password.
    #[track_caller]
    pub fn add_user(&self, name: &str) -> String {
        self.run("user", &[name]).trim().to_owned()
    }

    /// Adds `count` users at once, `prefix-0` and so on: their names and passwords.
    #[track_caller]
    pub fn add_users(&self, prefix: &str, count: usize) -> Vec<(String, String)> {
        let said = self.run("users", &[prefix, &count.to_string()]);
        let pairs = said.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(name, password)| (name.to_owned(), password.to_owned())).collect()
    }

    /// `start`s or `stop`s winbindd; [`crate::lab::winbind`] says when that may be.
    #[track_caller]
    pub(super) fn winbind(&self, verb: &str) {
        self.run("winbind", &[verb]);
    }

    /// Adds a service account with `HTTP/name.lab.example` and AES keys.
    #[track_caller]
    pub fn add_service(&self, name: &str) -> Service {
        let keytab = self.dir.join(format!("{name}.keytab"));
        self.run("service", &[name, keytab.to_str().unwrap()]);
        Service { name: name.to_owned(), host: self.host(name), keytab }
    }

    /// Disables an account.
    #[track_caller]
    pub fn disable(&self, user: &str) {
        self.run("disable", &[user]);
    }

    /// Enables it again.
    #[track_caller]
    pub fn enable(&self, user: &str) {
        self.run("enable", &[user]);
    }

    /// Changes the service's password: tickets are for the next kvno from now on.
    /// Gives a keytab with the new key.
    #[track_caller]
    pub fn rotate_key(&self, service: &Service) -> PathBuf {
        self.export("rotate-key", service, "rotated")
    }

    /// Lets the service have RC4 keys only, and gives a keytab with them.
    #[track_caller]
    pub fn rc4_keytab(&self, service: &Service) -> PathBuf {
        self.export("rc4-keytab", service, "rc4")
    }

    /// Gives a second account the same SPN: the KDC then refuses tickets for it.
    #[track_caller]
    pub fn duplicate_spn(&self, service: &Service, account: &str) {
        self.run("duplicate-spn", &[&service.name, account]);
    }

    /// Exports the keys of one principal, an account's too.
    #[track_caller]
    pub fn keytab_of(&self, principal: &str) -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let keytab = self.dir.join(format!("exported-{number}.keytab"));
        let name = format!("--principal={principal}");
        self.samba_tool(&["domain", "exportkeytab", keytab.to_str().unwrap(), &name]);
        keytab
    }

    #[track_caller]
    fn export(&self, verb: &str, service: &Service, what: &str) -> PathBuf {
        let keytab = self.dir.join(format!("{}-{what}.keytab", service.name));
        self.run(verb, &[&service.name, keytab.to_str().unwrap()]);
        keytab
    }

    #[track_caller]
    fn run(&self, verb: &str, args: &[&str]) -> String {
        let done = self.script(verb).args(args).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "realm.sh {verb} {}: {err}", args.join(" "));
        String::from_utf8(done.stdout).unwrap()
    }

    fn script(&self, verb: &str) -> Command {
        let mut command = Command::new(lab_path("realm.sh"));
        command.arg(verb).env("LAB_DIR", &self.dir);
        command
    }
}
