//! A folder, and the openssl command that works in it.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A folder that is removed at the end of the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.0.path().join(name), bytes).unwrap();
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(Path::new(&self.path(name))).unwrap()
    }

    /// Runs openssl in the folder, and gives what it prints.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let done = Command::new("openssl").args(arguments).current_dir(&self.0).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// The key in this file, encrypted in PKCS#8 behind `sesame`.
    #[track_caller]
    pub(crate) fn encrypted(&self, name: &str, how: &[&str]) -> Vec<u8> {
        let fixed = ["pkcs8", "-topk8", "-in", name, "-passout", "pass:sesame"];
        self.openssl(&[&fixed[..], how].concat())
    }
}

/// A new key, made with OpenSSL as `key.pem` in PKCS#8.
#[track_caller]
pub(crate) fn key(folder: &Folder, algorithm: &str, option: &str) -> Vec<u8> {
    let option = if option.is_empty() { vec![] } else { vec!["-pkeyopt", option] };
    folder
        .openssl(&[&["genpkey", "-algorithm", algorithm, "-out", "key.pem"], &option[..]].concat());
    folder.read("key.pem")
}
