//! The real `ntlm_auth` behind a script that makes faults when it is told to.

use std::path::{Path, PathBuf};

use crate::lab::{lab_path, temp_dir, write_program};

/// A program to put in `ntlm_auth`'s place. It does all right until a fault is set.
pub struct FaultyHelper {
    dir: tempfile::TempDir,
}

impl FaultyHelper {
    /// Writes the script.
    #[track_caller]
    pub fn new() -> FaultyHelper {
        let dir = temp_dir("helper-");
        let script = format!(
            "#!/bin/sh\nexec /usr/bin/python3 {} {} \"$@\"\n",
            lab_path("servers/faulty_helper.py").display(),
            dir.path().display()
        );
        let program = dir.path().join("ntlm_auth");
        write_program(&program, &script);
        FaultyHelper { dir }
    }

    /// The program.
    pub fn program(&self) -> PathBuf {
        self.dir.path().join("ntlm_auth")
    }

    /// Lets the next helper in this state make the fault, once.
    #[track_caller]
    pub fn once(&self, state: &str, fault: &str) {
        self.set(state, fault, "once");
    }

    /// Lets every helper in this state make the fault.
    #[track_caller]
    pub fn always(&self, state: &str, fault: &str) {
        self.set(state, fault, "always");
    }

    /// No faults from now on.
    pub fn heal(&self) {
        let _healed_already = std::fs::remove_file(self.file());
    }

    /// Whether the fault that was set once has not been made yet.
    pub fn waits(&self) -> bool {
        self.file().exists()
    }

    #[track_caller]
    fn set(&self, state: &str, fault: &str, often: &str) {
        // In one step, so that no helper reads half of it.
        let whole = self.dir.path().join("next");
        std::fs::write(&whole, format!("{state} {fault} {often}")).unwrap();
        std::fs::rename(whole, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        Path::join(self.dir.path(), "fault")
    }
}
