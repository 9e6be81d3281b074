//! A KDC of a test's own, which it may stop, or set up as an impostor.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::lab::{Process, Ticket, free_port, output, temp_dir};

/// MIT's krb5kdc for one realm, and what its clients need.
pub struct Kdc {
    /// The process.
    pub process: Process,
    /// A krb5.conf that knows this KDC only.
    pub krb5_config: PathBuf,
    /// The keys of its service.
    pub keytab: PathBuf,
    dir: tempfile::TempDir,
}

impl Kdc {
    /// Starts one for `realm`, with a service and users with their passwords.
    #[track_caller]
    pub fn start(realm: &str, service: &str, users: &[(&str, &str)]) -> Kdc {
        Kdc::start_with(realm, service, users, "")
    }

    /// The same with a line of the realm's own in kdc.conf.
    #[track_caller]
    pub fn start_with(realm: &str, service: &str, users: &[(&str, &str)], line: &str) -> Kdc {
        let dir = temp_dir("kdc-");
        let (path, port) = (dir.path().display().to_string(), free_port());
        let krb5_config = dir.path().join("krb5.conf");
        let keytab = dir.path().join("service.keytab");
        let clients = format!(
            "[libdefaults]\n default_realm = {realm}\n dns_lookup_kdc = false\n \
             dns_canonicalize_hostname = false\n rdns = false\n\
             [realms]\n {realm} = {{\n kdc = 127.0.0.1:{port}\n }}\n"
        );
        fs::write(&krb5_config, clients).unwrap();
        let profile = format!(
            "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\n {realm} = {{\n database_name = {path}/principal\n \
             key_stash_file = {path}/stash\n acl_file = /dev/null\n \
             supported_enctypes = aes256-cts:normal\n {line}\n }}\n"
        );
        fs::write(dir.path().join("kdc.conf"), profile).unwrap();
        let kdc_profile = dir.path().join("kdc.conf");
        let program = |name: &str| {
            let mut command = Command::new(format!("/usr/sbin/{name}"));
            command.env("KRB5_CONFIG", &krb5_config).env("KRB5_KDC_PROFILE", &kdc_profile);
            command
        };
        let mut create = program("kdb5_util");
        let (_, err) = output(create.args(["create", "-s", "-r", realm, "-P", "master"]));
        assert_eq!(err, "", "kdb5_util");
        let mut queries = vec![
            format!("addprinc -randkey {service}"),
            format!("ktadd -k {} {service}", keytab.display()),
        ];
        queries
            .extend(users.iter().map(|(user, password)| format!("addprinc -pw {password} {user}")));
        for query in queries {
            let (_, err) = output(program("kadmin.local").args(["-r", realm, "-q", &query]));
            assert_eq!(err, "", "{query}");
        }
        let process = Process::start("krb5kdc", program("krb5kdc").args(["-n", "-r", realm]));
        let kdc = Kdc { process, krb5_config, keytab, dir };
        if let Some((user, password)) = users.first() {
            crate::lab::wait_until(crate::lab::LIMIT, "a ticket of the test's own KDC", || {
                kdc.gives_ticket(user, password).then_some(())
            });
        }
        kdc
    }

    /// A ticket from it.
    pub fn ticket(&self, user: &str, password: &str) -> Option<Ticket> {
        let ccache = self.dir.path().join("cache");
        let ticket = Ticket { ccache, krb5_config: self.krb5_config.clone() };
        self.gives_ticket(user, password).then_some(ticket)
    }

    /// Whether kinit has a ticket from it.
    pub fn gives_ticket(&self, user: &str, password: &str) -> bool {
        let cache = format!("FILE:{}/cache", self.dir.path().display());
        let mut kinit = Command::new("kinit");
        kinit.args(["-c", &cache, user]).env("KRB5_CONFIG", &self.krb5_config);
        kinit.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = kinit.spawn().unwrap();
        let said = format!("{password}\n");
        // kinit ends without a question where no KDC answers.
        let _gone_already = child.stdin.take().unwrap().write_all(said.as_bytes());
        child.wait().unwrap().success()
    }
}
