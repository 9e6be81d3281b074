//! A krb5.conf that cannot be read is nobody's wrong password.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::lab::{Doorward, realm, temp_dir};
use crate::password::{Core, config};

#[test]
fn without_a_krb5_conf_that_can_be_read_a_password_is_not_called_wrong() {
    let folder = temp_dir("krb5-");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = file("broken", "[libdefaults\ndefault_realm = LAB.EXAMPLE\n");
    let garbage = file("garbage", "default_realm LAB.EXAMPLE\n\u{1}\u{2}\n");
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let folder_itself = folder.path().to_str().unwrap().to_owned();
    for path in [broken, garbage, missing, folder_itself] {
        let core = Doorward::start("core", &config(""), &[("KRB5_CONFIG", &path)]);
        let mut socket = Core::connect(&core.core_socket());
        let (status, said) = socket.password("alice", realm().password("alice"));
        assert_eq!(status, 503, "{path}: {said}");
        assert_ne!(said["error"], json!("logon_failed"), "{path}");
        let line = core.wait_audit("the line", |line| line["outcome"] == "refused");
        assert_ne!(line["reason"], "wrong_password", "{path}: {line}");
    }
}
