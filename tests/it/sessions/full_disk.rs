//! A full disk under the session store: nobody new comes in, nobody is thrown out.

use std::path::PathBuf;
use std::process::Command;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::{Doorward, LIMIT, realm, servers, temp_dir, wait_until};

/// A disk of a few megabytes.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it.
    pub(crate) fn mount() -> Self {
        Self::mount_with("size=4m")
    }

    /// The same with these options of tmpfs(5).
    pub(crate) fn mount_with(options: &str) -> Self {
        let folder = temp_dir("disk-");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "doorward-test"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(mounted.success(), "a tmpfs cannot be mounted: run the tests as root");
        Self(folder)
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Writes until nothing more fits.
    pub(crate) fn fill(&self) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.filler()).unwrap();
        for piece in [[0; 65_536].as_slice(), &[0; 4_096], &[0; 1]] {
            while filler.write_all(piece).is_ok() {}
        }
    }

    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _the_namespace_ends_it_otherwise = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_new_sessions_says_so_and_serves_old_ones() {
    let disk = SmallDisk::mount();
    let app = servers::app();
    let config = Setup::default().config(app.port);
    let state = disk.0.path().join("state");
    let config = format!("state_path = \"{}\"\n{config}", state.display());
    let gateway = Gateway { doorward: Doorward::serve(&config), app };
    let old = gateway.sign_on("alice");
    disk.fill();
    let tokens = realm().ticket("bob").tokens(&web(), 400);
    // The first few may still fit into pages that the store holds already.
    let refused =
        tokens.iter().map(|token| gateway.send_token(token)).find(|one| one.status != 200);
    let refused = refused.expect("400 sign-ons went onto a full disk");
    assert_eq!(refused.status, 503, "{refused:?}");
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(["store_full", "replay_cache_failed"].contains(&error.as_str()), "{error}");
    assert_eq!(refused.header("set-cookie"), None);
    gateway.doorward.wait_log("what is full", |line| line["reason"] == error.as_str());
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503, "{}", ready.text());
    let disk_says = ready.json()["disk"].as_str().unwrap().to_owned();
    assert!(disk_says.contains("0 bytes are free under"), "{disk_says}");
    assert_eq!(gateway.whoami(&old).status, 200);
    disk.make_room();
    wait_until(LIMIT, "sign-ons once there is room", || {
        let token = realm().ticket("bob").tokens(&web(), 1).remove(0);
        (gateway.send_token(&token).status == 200).then_some(())
    });
    assert_eq!(gateway.whoami(&old).status, 200);
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert!(ready.json()["notices"].to_string().contains("KB are free under"), "4 MB are little");
}
