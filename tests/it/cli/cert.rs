//! `doorward cert`: OpenSSL judges what it makes, and makes what it reads.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::lab::{LIMIT, Process, free_port, temp_dir};

/// A folder in which the commands run.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(temp_dir("cert"));
        fs::write(folder.path("pass"), "sesame\n").unwrap();
        folder
    }

    fn with_ca() -> Folder {
        let folder = Folder::new();
        folder.cert("ca --name Lab");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().mode() & 0o7777
    }

    fn run(&self, program: impl AsRef<Path>, arguments: &str) -> Output {
        let mut command = Command::new(program.as_ref());
        command.args(arguments.split(' ')).current_dir(self.0.path()).env("PHRASE", "sesame");
        command.output().unwrap()
    }

    /// `doorward cert …`, which must succeed; what it said on both outputs.
    #[track_caller]
    fn cert(&self, arguments: &str) -> String {
        let done = self.run(DOORWARD, &format!("cert {arguments}"));
        assert!(done.status.success(), "{arguments}: {done:?}");
        String::from_utf8([done.stdout, done.stderr].concat()).unwrap()
    }

    /// `doorward cert …`, which must be refused with this code; the reason.
    #[track_caller]
    fn refused(&self, code: i32, arguments: &str) -> String {
        let done = self.run(DOORWARD, &format!("cert {arguments}"));
        assert_eq!(done.status.code(), Some(code), "{arguments}: {done:?}");
        String::from_utf8([done.stdout, done.stderr].concat()).unwrap()
    }

    /// `openssl …`, which must succeed; what it printed.
    #[track_caller]
    fn openssl(&self, arguments: &str) -> String {
        let done = self.run("openssl", arguments);
        assert!(done.status.success(), "{arguments}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn verifies(&self, purpose: &str, file: &str) -> bool {
        let arguments = format!("verify -x509_strict -CAfile cacert.pem -purpose {purpose} {file}");
        self.run("openssl", &arguments).status.success()
    }

    /// What a client of OpenSSL gets from a server of OpenSSL that demands a certificate.
    fn asks(&self, server: &str, identity: &str) -> String {
        let port = free_port();
        let mut command = Command::new("openssl");
        let arguments = format!(
            "s_server -accept 127.0.0.1:{port} -key {server} -cert {server} -CAfile cacert.pem -Verify 1 -verify_return_error -www"
        );
        command.args(arguments.split(' ')).current_dir(self.0.path());
        let mut serving = Process::start("s_server", &mut command);
        serving.wait_for(|line| line.starts_with("ACCEPT"), LIMIT);
        let arguments = format!(
            "s_client -connect 127.0.0.1:{port} -CAfile cacert.pem -verify_return_error -verify_hostname web.example -ign_eof -quiet {identity}"
        );
        let mut client = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A server that has refused already reads nothing.
        let _ = client.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n");
        String::from_utf8_lossy(&client.wait_with_output().unwrap().stdout).into_owned()
    }
}

const DOORWARD: &str = env!("CARGO_BIN_EXE_doorward");

#[test]
fn certificates_are_good_for_their_purpose_and_for_no_other() {
    let folder = Folder::with_ca();
    for rsa in ["", " --rsa=2048"] {
        let kind = if rsa.is_empty() { "ec" } else { "rsa" };
        folder.cert(&format!("server {kind}.example --san 192.0.2.1 --san *.lab.example{rsa}"));
        folder.cert(&format!("client {kind}{rsa}"));
        assert!(folder.verifies("sslserver", &format!("{kind}.example.pem")));
        assert!(folder.verifies("sslclient", &format!("{kind}.pem")));
        assert!(!folder.verifies("sslclient", &format!("{kind}.example.pem")));
        assert!(!folder.verifies("sslserver", &format!("{kind}.pem")));
    }
    let server = folder.openssl("x509 -in ec.example.pem -noout -text");
    assert!(server.contains("DNS:ec.example, IP Address:192.0.2.1, DNS:*.lab.example"), "{server}");
    assert!(server.contains("CA:FALSE"), "{server}");
    let ca = folder.openssl("x509 -in cacert.pem -noout -text");
    assert!(ca.contains("CA:TRUE, pathlen:0"), "{ca}");
    assert!(ca.contains("Certificate Sign, CRL Sign"), "{ca}");
    let serial = |file| folder.openssl(&format!("x509 -in {file} -noout -serial"));
    assert_ne!(serial("ec.pem"), serial("rsa.pem"));
    // "serial=", 20 bytes in hexadecimal, a line end.
    assert_eq!(serial("ec.pem").len(), 7 + 40 + 1);
    assert!(folder.openssl("pkey -in rsa.pem -noout -text").contains("2048 bit"));
}

#[test]
fn server_and_client_know_each_other_by_what_is_made() {
    let folder = Folder::with_ca();
    folder.cert("server web.example --rsa=2048");
    folder.cert("client agent");
    folder.cert("client sealed --rsa=2048 --pass-env PHRASE");
    let page = folder.asks("web.example.pem", "-key agent.pem -cert agent.pem");
    assert!(page.starts_with("HTTP/1.0 200"), "{page}");
    let sealed = "-key sealed.pem -cert sealed.pem -pass pass:sesame";
    let page = folder.asks("web.example.pem", sealed);
    assert!(page.starts_with("HTTP/1.0 200"), "{page}");
    assert_eq!(folder.asks("web.example.pem", ""), "", "nobody comes in without one");
}

#[test]
fn keys_are_readable_by_their_owner_only_and_nothing_is_overwritten() {
    let folder = Folder::with_ca();
    folder.cert("server web.example");
    folder.cert("client agent");
    let files = ["cakey.pem", "web.example.pem", "agent.pem", "cacert.pem", "agent-public.pem"];
    let modes = files.map(|file| folder.mode(file));
    assert_eq!(modes, [0o600, 0o600, 0o600, 0o644, 0o644]);
    let before = files.map(|file| folder.read(file));
    for again in ["ca", "server web.example", "client agent"] {
        let said = folder.refused(1, again);
        assert!(said.contains("exists already") && said.contains("--renew"), "{said}");
    }
    assert_eq!(files.map(|file| folder.read(file)), before);
    assert_eq!(folder.read("agent-public.pem"), folder.openssl("pkey -in agent.pem -pubout"));
}

#[test]
fn a_folder_that_others_may_write_to_is_warned_about() {
    let folder = Folder::with_ca();
    assert!(!folder.cert("client one").contains("warning"));
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.0.path(), open).unwrap();
    let said = folder.cert("client two");
    assert!(said.contains("warning: others may write to"), "{said}");
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    let said = folder.refused(1, "client agent");
    assert!(said.contains("make one with `doorward cert ca"), "{said}");
    folder.cert("ca --pass-file pass");
    for (code, arguments, words) in [
        (1, "client agent", "is encrypted; set --ca-pass-file"),
        (1, "client ../agent --ca-pass-env PHRASE", "cannot be the name of a client"),
        (1, "server no_host/ --ca-pass-env PHRASE", "cannot be the name of a server"),
        (1, "server web --san a..b --ca-pass-env PHRASE", "neither a host name nor an address"),
        (1, "client agent --ca-pass-env NOT_SET", "no environment variable NOT_SET"),
        (1, "client agent --renew --ca-pass-env PHRASE", "nothing to renew"),
        (2, "client agent --rsa=1024 --ca-pass-env PHRASE", "2048"),
        (2, "client agent --renew --rsa --ca-pass-env PHRASE", "cannot be used with"),
        (2, "client", "required"),
    ] {
        let said = folder.refused(code, arguments);
        assert!(said.contains(words), "{arguments}: {said}");
    }
    let made: Vec<_> =
        fs::read_dir(folder.0.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(made.len(), 3, "pass, cacert.pem and cakey.pem alone: {made:?}");
}

#[test]
fn a_pass_phrase_protects_the_key_and_renewal_keeps_it_so() {
    let folder = Folder::with_ca();
    folder.cert("client agent --pass-file pass");
    let public = folder.read("agent-public.pem");
    assert!(folder.read("agent.pem").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert_eq!(folder.openssl("pkey -in agent.pem -passin pass:sesame -pubout"), public);
    assert!(
        !folder.run("openssl", "pkey -in agent.pem -passin pass:guess -noout").status.success()
    );
    let said = folder.refused(1, "client agent --renew");
    assert!(said.contains("set --pass-file or --pass-env"), "{said}");
    let sealed = |text: String| text.split("-----BEGIN CERT").next().unwrap().to_owned();
    let before = sealed(folder.read("agent.pem"));
    folder.cert("client agent --renew --pass-env PHRASE");
    assert_eq!(sealed(folder.read("agent.pem")), before);
}

#[test]
fn renewal_keeps_key_names_and_readers_and_changes_the_certificate() {
    let folder = Folder::with_ca();
    folder.cert("server web.example --san 192.0.2.1 --days 3");
    folder.cert("client agent --days 3");
    for (file, renew) in
        [("web.example.pem", "server web.example --renew"), ("agent.pem", "client agent --renew")]
    {
        let key = || folder.openssl(&format!("pkey -in {file} -pubout"));
        let names =
            || folder.openssl(&format!("x509 -in {file} -noout -subject -ext subjectAltName"));
        let serial = || folder.openssl(&format!("x509 -in {file} -noout -serial"));
        fs::set_permissions(folder.path(file), fs::Permissions::from_mode(0o640)).unwrap();
        chown(folder.path(file), Some(1234), Some(1235)).unwrap();
        let before = (key(), names(), serial());
        folder.cert(renew);
        assert_eq!((key(), names()), (before.0, before.1));
        assert_ne!(serial(), before.2);
        folder.openssl(&format!("x509 -in {file} -noout -checkend 864000"));
        let owner = fs::metadata(folder.path(file)).unwrap();
        assert_eq!((owner.uid(), owner.gid(), folder.mode(file)), (1234, 1235, 0o640));
    }
    let said = folder.refused(1, "server agent --renew");
    assert!(said.contains("renew it with `doorward cert client`"), "{said}");
}

#[test]
fn a_renewed_ca_is_believed_for_what_the_old_one_signed() {
    let folder = Folder::with_ca();
    folder.cert("ca --renew --days 20");
    folder.cert("client agent");
    assert!(folder.verifies("sslclient", "agent.pem"));
    let said = folder.cert("client other --days 300");
    assert!(said.contains("ends with its CA"), "{said}");
    folder.cert("ca --renew");
    assert!(folder.verifies("sslclient", "agent.pem"));
    assert_eq!((folder.mode("cacert.pem"), folder.mode("cakey.pem")), (0o644, 0o600));
}

#[test]
fn the_ca_and_the_key_of_an_older_installation_go_on() {
    let folder = Folder::new();
    folder.openssl("req -x509 -newkey rsa:2048 -days 30 -subj /C=NL/O=Example/CN=demoCA -keyout cakey.pem -out cacert.pem -passout pass:sesame");
    folder.openssl("req -new -newkey rsa:2048 -subj /C=NL/CN=dagent -keyout key -out request -passout pass:sesame");
    folder.openssl("x509 -req -in request -CA cacert.pem -CAkey cakey.pem -passin pass:sesame -days 1 -out certificate");
    fs::write(folder.path("client.pem"), folder.read("key") + &folder.read("certificate")).unwrap();
    let public = folder.openssl("pkey -in client.pem -passin pass:sesame -pubout");
    folder.cert("client client --renew --pass-file pass --ca-pass-file pass");
    assert_eq!(folder.openssl("pkey -in client.pem -passin pass:sesame -pubout"), public);
    folder.openssl("verify -CAfile cacert.pem -purpose sslclient client.pem");
    folder.cert("ca --renew --pass-file pass");
    assert!(folder.verifies("sslclient", "client.pem"));
}

#[test]
fn a_ca_whose_name_cannot_be_repeated_signs_nothing() {
    let folder = Folder::new();
    folder.openssl("req -x509 -newkey rsa:2048 -nodes -subj /DC=example/DC=lab/CN=CA -keyout cakey.pem -out cacert.pem");
    for arguments in ["client agent", "ca --renew"] {
        let said = folder.refused(1, arguments);
        assert!(said.contains("cannot be repeated exactly"), "{said}");
    }
    assert!(!folder.path("agent.pem").exists());
}

#[test]
fn show_explains_files_and_its_exit_code_says_whether_they_are_of_use() {
    let folder = Folder::with_ca();
    folder.cert("client agent --pass-file pass");
    let said = folder.cert("show agent.pem --pass-file pass");
    assert!(said.contains("belongs to   block 2"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&folder.cert("show agent-public.pem --json")).unwrap();
    assert_eq!(json["blocks"][0]["key"], "ECDSA P-256");
    folder.openssl("x509 -in agent.pem -outform DER -out agent.cer");
    let said = folder.refused(1, "show agent.cer");
    assert!(said.contains("openssl x509 -inform DER -in agent.cer"), "{said}");
    assert!(folder.refused(1, "show nothing.pem").contains("cannot read nothing.pem"));
}
