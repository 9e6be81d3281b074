//! An authority, keys and certificates, all made by OpenSSL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{realm, temp_dir};

/// A folder with the authority `ca`, the core's own `core.pem`, `sslkeys`, and an
/// `openssl.cnf` under which clients show any key.
pub struct Pki {
    dir: tempfile::TempDir,
}

/// The extensions of an ordinary client certificate.
pub const CLIENT: &str = "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n";

impl Pki {
    /// With an authority and the core's certificate.
    #[track_caller]
    pub fn new() -> Pki {
        let pki = Pki { dir: temp_dir("pki-") };
        fs::create_dir(pki.path("sslkeys")).unwrap();
        let weak = "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n\
                    [c]\nCipherString=DEFAULT@SECLEVEL=0\n";
        fs::write(pki.path("openssl.cnf"), weak).unwrap();
        pki.authority("ca");
        pki.key("core", "P-256");
        let names = format!("subjectAltName=DNS:{},IP:127.0.0.1\n", realm().host("web"));
        pki.issue("core", "ca", &names);
        pki
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The same as text, for arguments.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Makes a self-signed authority: `NAME.key` and `NAME.crt`.
    #[track_caller]
    pub fn authority(&self, name: &str) {
        self.key(name, "P-256");
        self.self_signed(name);
    }

    /// Makes `NAME.key` and `NAME-public.pem`: a size of RSA, a curve, or a name.
    #[track_caller]
    pub fn key(&self, name: &str, kind: &str) {
        let option = match kind {
            size if size.parse::<u32>().is_ok() => ("RSA", format!("rsa_keygen_bits:{size}")),
            curve if curve.contains('-') || curve.starts_with("sec") => {
                ("EC", format!("ec_paramgen_curve:{curve}"))
            }
            named => (named, String::new()),
        };
        let file = format!("{name}.key");
        let mut arguments = vec!["genpkey", "-algorithm", option.0, "-out", &file];
        if !option.1.is_empty() {
            arguments.extend(["-pkeyopt", &option.1]);
        }
        self.openssl(&arguments);
        self.openssl(&["pkey", "-in", &file, "-pubout", "-out", &format!("{name}-public.pem")]);
    }

    /// Lets an authority issue a certificate for `NAME.key`: `NAME.crt`, and `NAME.pem`
    /// with key and certificate.
    #[track_caller]
    pub fn issue(&self, name: &str, authority: &str, extensions: &str) {
        // An hour ago: clocks are compared to the second.
        self.issue_for("90", "-1 hour", name, authority, extensions);
    }

    /// The same as if it were another time, for thirty days from then.
    #[track_caller]
    pub fn issue_at(&self, when: &str, name: &str, authority: &str, extensions: &str) {
        self.issue_for("30", when, name, authority, extensions);
    }

    #[track_caller]
    fn issue_for(&self, days: &str, when: &str, name: &str, authority: &str, extensions: &str) {
        fs::write(self.path("ext"), extensions).unwrap();
        let (key, request, out) =
            (format!("{name}.key"), format!("{name}.csr"), format!("{name}.crt"));
        let subject = format!("/CN={name}");
        self.openssl(&["req", "-new", "-key", &key, "-subj", &subject, "-out", &request]);
        let (crt, ca_key) = (format!("{authority}.crt"), format!("{authority}.key"));
        let arguments = ["x509", "-req", "-in", &request, "-CA", &crt, "-CAkey", &ca_key];
        let more = ["-days", days, "-extfile", "ext", "-out", &out];
        self.run(Command::new("faketime").arg(when).arg("openssl").args(arguments).args(more));
        self.join(name);
    }

    /// Lets `NAME.key` sign its own certificate.
    #[track_caller]
    pub fn self_signed(&self, name: &str) {
        let (key, out) = (format!("{name}.key"), format!("{name}.crt"));
        let subject = format!("/CN={name}");
        self.openssl(&[
            "req", "-x509", "-days", "90", "-key", &key, "-subj", &subject, "-out", &out,
        ]);
        self.join(name);
    }

    /// A key that is listed, and an ordinary certificate for it.
    #[track_caller]
    pub fn client(&self, name: &str) {
        self.key(name, "P-256");
        self.issue(name, "ca", CLIENT);
        self.list(name);
    }

    /// Puts `NAME-public.pem` into `sslkeys`.
    #[track_caller]
    pub fn list(&self, name: &str) {
        let file = format!("{name}-public.pem");
        fs::copy(self.path(&file), self.path("sslkeys").join(&file)).unwrap();
    }

    /// Takes it out.
    #[track_caller]
    pub fn unlist(&self, name: &str) {
        fs::remove_file(self.path("sslkeys").join(format!("{name}-public.pem"))).unwrap();
    }

    /// Lets `ca` write `crl.pem`, in which these certificates are revoked.
    #[track_caller]
    pub fn revoke(&self, names: &[&str], when: &str) {
        let config = "[ca]\ndefault_ca=a\n[a]\ndatabase=index\ndefault_md=sha256\n\
                      crlnumber=number\ndefault_crl_days=10\n";
        for (file, text) in [("ca.cnf", config), ("index", ""), ("number", "01\n")] {
            if !self.path(file).exists() {
                fs::write(self.path(file), text).unwrap();
            }
        }
        let ca = ["ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.crt"];
        for name in names {
            self.openssl(&[&ca[..], &["-revoke", &format!("{name}.crt")]].concat());
        }
        let list = ["-gencrl", "-out", "crl.new"];
        self.run(Command::new("faketime").arg(when).arg("openssl").args(ca).args(list));
        fs::rename(self.path("crl.new"), self.path("crl.pem")).unwrap();
    }

    /// The lines of `[core]` for its TLS, in a table that begins here.
    pub fn core(&self, more: &str) -> String {
        format!(
            "[core]\nlisten = \"unix:{{dir}}/core.sock\"\nlisten_tls = \"127.0.0.1:0\"\n\
             server_ssl_key_file = \"{}\"\nserver_ssl_ca_file = \"{}\"\nsslkeys_path = \"{}\"\n{more}\n",
            self.text("core.pem"),
            self.text("ca.crt"),
            self.text("sslkeys"),
        )
    }

    /// Runs openssl in the folder.
    #[track_caller]
    pub fn openssl(&self, arguments: &[&str]) {
        self.run(Command::new("openssl").args(arguments));
    }

    fn join(&self, name: &str) {
        let read = |ending: &str| fs::read(self.path(&format!("{name}.{ending}"))).unwrap();
        fs::write(self.path(&format!("{name}.pem")), [read("key"), read("crt")].concat()).unwrap();
    }

    #[track_caller]
    fn run(&self, command: &mut Command) {
        let done = command.current_dir::<&Path>(self.dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command:?}: {said}");
    }
}
