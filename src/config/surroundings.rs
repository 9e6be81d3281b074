//! What the settings take from outside the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

/// All that defaults and secrets depend on besides the file. It has no `Debug`,
/// because environments hold secrets.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// Environment variables: the XDG folders, and those that secrets name.
    pub environment: BTreeMap<String, String>,
    /// Whether this process was started as root, even if it has become another since:
    /// the folders of the system are its defaults then.
    pub root: bool,
    /// The host's full name, as far as the host itself knows it.
    pub hostname: String,
    /// Threads that can run at once.
    pub cores: usize,
    /// Whether a program is installed: a file there. Whether it may be executed, starting it shows.
    pub installed: fn(&Path) -> bool,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn here() -> Self {
        let hostname = nix::unistd::gethostname().unwrap_or_default();
        let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
        Self {
            environment: env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            root: nix::unistd::geteuid().is_root(),
            hostname: full_name(&hostname.to_string_lossy(), &hosts),
            cores: thread::available_parallelism().map_or(1, usize::from),
            installed: Path::is_file,
        }
    }

    /// Where the state lives when the file does not say: root has a folder of
    /// the system, anybody else one of their own (XDG Base Directory 0.8).
    pub(super) fn state_path(&self) -> PathBuf {
        let system = PathBuf::from("/var/lib/doorward");
        if self.root {
            return system;
        }
        let home = || Some(self.folder("HOME")?.join(".local/state"));
        self.folder("XDG_STATE_HOME").or_else(home).map_or(system, |state| state.join("doorward"))
    }

    /// Where the core's socket lives when the file does not say.
    pub(super) fn core_socket(&self, state_path: &Path) -> PathBuf {
        if self.root {
            return PathBuf::from("/run/doorward/core.sock");
        }
        match self.folder("XDG_RUNTIME_DIR") {
            Some(runtime) => runtime.join("doorward/core.sock"),
            None => state_path.join("core.sock"),
        }
    }

    /// A folder from the environment. Relative ones are to be ignored (XDG Base Directory 0.8).
    fn folder(&self, variable: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.environment.get(variable)?);
        path.is_absolute().then_some(path)
    }
}

/// The name with its domain: as it is, or the first name with a dot on the
/// line of `/etc/hosts` that lists it (hosts(5): the canonical one).
fn full_name(hostname: &str, hosts: &str) -> String {
    let name = hostname.to_ascii_lowercase();
    if name.is_empty() {
        return "localhost".to_owned();
    }
    if name.contains('.') {
        return name;
    }
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or(line));
    lines
        .map(|line| line.split_ascii_whitespace().skip(1).map(str::to_ascii_lowercase))
        .filter(|names| names.clone().any(|listed| listed == name))
        .find_map(|mut names| names.find(|listed| listed.contains('.')))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(environment: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            environment: environment
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            root: false,
            hostname: "gate.example".to_owned(),
            cores: 2,
            installed: |_| false,
        }
    }

    #[test]
    fn a_person_keeps_state_in_their_own_folders() {
        let xdg = person(&[
            ("XDG_STATE_HOME", "/s"),
            ("HOME", "/home/j"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
        ]);
        assert_eq!(xdg.state_path(), Path::new("/s/doorward"));
        assert_eq!(xdg.core_socket(Path::new("/s")), Path::new("/run/user/7/doorward/core.sock"));

        let plain = person(&[("XDG_STATE_HOME", "relative"), ("HOME", "/home/j")]);
        assert_eq!(plain.state_path(), Path::new("/home/j/.local/state/doorward"));
        assert_eq!(plain.core_socket(Path::new("/x")), Path::new("/x/core.sock"));
    }

    #[test]
    fn root_and_homeless_accounts_use_the_systems_folder() {
        let root = Surroundings {
            root: true,
            ..person(&[("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r")])
        };
        assert_eq!(root.state_path(), Path::new("/var/lib/doorward"));
        assert_eq!(root.core_socket(Path::new("/s")), Path::new("/run/doorward/core.sock"));
        assert_eq!(person(&[]).state_path(), Path::new("/var/lib/doorward"));
    }

    #[test]
    fn the_hosts_file_completes_a_short_name() {
        let hosts = "127.0.0.1 localhost\n10.0.0.5 gate.example.org gate # gate.wrong\n";
        assert_eq!(full_name("Gate", hosts), "gate.example.org");
        assert_eq!(full_name("gate.other.org", hosts), "gate.other.org");
        assert_eq!(full_name("door", hosts), "door");
        assert_eq!(full_name("localhost", hosts), "localhost");
    }
}
