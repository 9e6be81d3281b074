//! Faults of folders, files and sockets.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::doctor::{Fault, OTHERWISE, Site, cause, says};
use crate::gateway::Setup;
use crate::lab::{Doorward, temp_dir};
use crate::sessions::full_disk::SmallDisk;

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "D1",
        what: "Root's files are in the state folder of another account",
        site: || {
            let site = with_state("run_as_user = \"nobody\"\nrun_as_group = \"nogroup\"\n");
            let state = site.dir().join("state");
            for name in ["sessions.sqlite", "replay-cache"] {
                let path = site.write(&format!("state/{name}"), "");
                std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
            }
            let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
            nix::unistd::chown(&state, Some(nobody.uid), Some(nobody.gid)).unwrap();
            site
        },
        check: says(
            &["sessions.sqlite (root:root, mode 0600)", "cannot write"],
            &["chown -R nobody:nogroup {dir}/state"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "D2",
        what: "The disk under state_path is full",
        site: || {
            let disk = SmallDisk::mount();
            disk.fill();
            let state = disk.path().join("state");
            std::fs::create_dir(&state).unwrap();
            let config = Setup::default().config(1);
            Site::of(&format!("state_path = {state:?}\n{config}")).keep(disk)
        },
        check: says(&["0 bytes are free under"], &["free space on that disk"]),
        log: cause(&["cannot open the session store", "disk is full"]),
        ..OTHERWISE
    },
    Fault {
        id: "D3",
        what: "The session database is damaged",
        site: || {
            let site = with_state("");
            site.write("state/sessions.sqlite", "no database at all ".repeat(100));
            site
        },
        check: says(
            &["{dir}/state/sessions.sqlite is damaged", "does not start"],
            &["move {dir}/state/sessions.sqlite aside"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "D4",
        what: "A second gateway has the same state_path",
        site: || {
            let folder = temp_dir("shared-");
            let state = folder.path().join("state");
            let config = Setup::default().config(1);
            let config = format!("state_path = {state:?}\n{config}");
            let first = Doorward::serve(&config);
            Site::of(&config).keep((first, folder))
        },
        check: says(
            &["sessions.sqlite is used by doorward (pid", "not the gateway of this configuration"],
            &["give this one a state_path of its own"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "D5",
        what: "Another program listens at the port",
        site: || {
            let held = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = held.local_addr().unwrap();
            let config = Setup::default().config(1);
            let listen = "listen = [\"127.0.0.1:0\"]";
            Site::of(&config.replacen(listen, &format!("listen = [\"{address}\"]"), 1)).keep(held)
        },
        check: says(&["front.listen 127.0.0.1:", "is used by it-", "(pid"], &["another port"]),
        ..OTHERWISE
    },
    Fault {
        id: "D7",
        what: "The listening address belongs to another host",
        site: || {
            let config = Setup::default().config(1);
            Site::of(&config.replacen(
                "listen = [\"127.0.0.1:0\"]",
                "listen = [\"192.0.2.1:80\"]",
                1,
            ))
        },
        check: says(
            &["192.0.2.1:80: this host has no such address"],
            &["an address of this host", "0.0.0.0"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "D8",
        what: "Another program uses the session database",
        site: || {
            let folder = temp_dir("held-");
            let state = folder.path().join("state");
            let config = format!("state_path = {state:?}\n{}", Setup::default().config(1));
            let mut first = Doorward::serve(&config);
            first.stop();
            let held = Held::hold(&state.join("sessions.sqlite"));
            Site::of(&config).keep((held, folder))
        },
        check: says(&["sessions.sqlite is used by python3"], &["stop that program (pid"]),
        ..OTHERWISE
    },
    Fault {
        id: "D9",
        what: "No more files can be made on the disk under state_path",
        site: || {
            let disk = SmallDisk::mount_with("size=64m,nr_inodes=8");
            let state = disk.path().join("state");
            std::fs::create_dir(&state).unwrap();
            let made = |name: u32| std::fs::write(disk.path().join(name.to_string()), "").is_ok();
            assert!((0..).take_while(|name| made(*name)).count() < 8);
            let config = Setup::default().config(1);
            Site::of(&format!("state_path = {state:?}\n{config}")).keep(disk)
        },
        check: says(&["0 files (inodes) can still be made"], &["remove files", "df -i"]),
        ..OTHERWISE
    },
    Fault {
        id: "D10",
        what: "The disk under state_path is mounted read-only",
        site: || {
            let disk = SmallDisk::mount_with("size=64m");
            let state = disk.path().join("state");
            std::fs::create_dir(&state).unwrap();
            let mut remount = std::process::Command::new("mount");
            remount.args(["-o", "remount,ro"]).arg(disk.path());
            assert!(remount.status().unwrap().success());
            let config = Setup::default().config(1);
            Site::of(&format!("state_path = {state:?}\n{config}")).keep(disk)
        },
        check: says(&["state", "mounted read-only"], &["mount -o remount,rw"]),
        ..OTHERWISE
    },
];

/// A site whose state folder is there already.
fn with_state(lines: &str) -> Site {
    let site = Site::of(&format!("{lines}{}", Setup::default().config(1)));
    let state = site.dir().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(state, PermissionsExt::from_mode(0o700)).unwrap();
    site
}

/// A program that looks into the database, and keeps it to itself.
struct Held(#[allow(dead_code, reason = "it ends when this is dropped")] crate::lab::Process);

impl Held {
    #[track_caller]
    fn hold(database: &std::path::Path) -> Self {
        let script = "import sqlite3, sys, signal\n\
                      held = sqlite3.connect(sys.argv[1])\n\
                      held.execute('BEGIN EXCLUSIVE')\n\
                      print('held', flush=True)\n\
                      signal.pause()\n";
        let mut command = std::process::Command::new("/usr/bin/python3");
        command.args(["-c", script]).arg(database);
        let mut process = crate::lab::Process::start("python3", &mut command);
        process.wait_for(|line| line == "held", crate::lab::LIMIT);
        Self(process)
    }
}
