//! Doorward itself, as the administrator starts it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::lab::{LIMIT, Process, install, realm, temp_dir, wait_until};

/// A running Doorward with a directory of its own.
///
/// In the configuration, `{dir}` stands for that directory. Listeners are given port 0;
/// the real ones are read from what it logs. Where the text says nothing else, it gets
/// `state_path`, a JSON log, an audit file and a core socket in the directory.
pub struct Doorward {
    role: String,
    dir: tempfile::TempDir,
    process: Process,
    env: Vec<(String, String)>,
}

impl Doorward {
    /// `doorward serve`, waited for until it is ready.
    #[track_caller]
    pub fn serve(config: &str) -> Doorward {
        Doorward::start("serve", config, &[])
    }

    /// `doorward front`.
    #[track_caller]
    pub fn front(config: &str) -> Doorward {
        Doorward::start("front", config, &[])
    }

    /// `doorward front` under another account, which is given these files as well.
    #[track_caller]
    pub fn front_as(account: &str, config: &str, files: &[&Path]) -> Doorward {
        let dir = temp_dir("doorward-");
        write_config(dir.path(), "front", config);
        // The account may not be let into the directory where it was built.
        let program = dir.path().join("doorward");
        install(env!("CARGO_BIN_EXE_doorward").as_ref(), &program);
        for path in files.iter().chain([&dir.path()]) {
            let done = Command::new("chown").args(["-R", account]).arg(path).status().unwrap();
            assert!(done.success(), "chown {}", path.display());
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", account, "--clear-groups"]).arg(program);
        command.env("KRB5_CONFIG", &realm().krb5_config_two_realms);
        command.arg("front").arg("--config").arg(config_file(dir.path()));
        let process = Process::start("doorward front", &mut command);
        let mut doorward = Doorward { role: "front".to_owned(), dir, process, env: Vec::new() };
        doorward.wait_ready();
        doorward
    }

    /// `doorward core`.
    #[track_caller]
    pub fn core(config: &str) -> Doorward {
        Doorward::start("core", config, &[])
    }

    /// A role, with more in its environment.
    #[track_caller]
    pub fn start(role: &str, config: &str, env: &[(&str, &str)]) -> Doorward {
        let dir = temp_dir("doorward-");
        write_config(dir.path(), role, config);
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let process = spawn(role, dir.path(), &env);
        let mut doorward = Doorward { role: role.to_owned(), dir, process, env };
        doorward.wait_ready();
        doorward
    }

    /// `doorward ARGS… --config F` with this configuration, run to its end: `check` and
    /// such.
    #[track_caller]
    pub fn run(args: &[&str], config: &str) -> std::process::Output {
        let dir = temp_dir("doorward-");
        write_config(dir.path(), args[0], config);
        program().args(args).arg("--config").arg(config_file(dir.path())).output().unwrap()
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The port of the plain HTTP listener.
    #[track_caller]
    pub fn http_port(&self) -> u16 {
        self.port("http")
    }

    /// The port of the TLS listener.
    #[track_caller]
    pub fn https_port(&self) -> u16 {
        self.port("https")
    }

    /// The port of the status listener.
    #[track_caller]
    pub fn status_port(&self) -> u16 {
        self.port("status")
    }

    /// The core's unix socket.
    #[track_caller]
    pub fn core_socket(&self) -> PathBuf {
        let address = self.address("core", |address| address.contains('/'));
        PathBuf::from(address.strip_prefix("unix:").unwrap_or(&address))
    }

    /// The core's TLS port.
    #[track_caller]
    pub fn core_port(&self) -> u16 {
        let address = self.address("core", |address| !address.contains('/'));
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// `http://web.lab.example:PORT/path`
    #[track_caller]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", realm().host("web"), self.http_port())
    }

    /// `https://web.lab.example:PORT/path`
    #[track_caller]
    pub fn https_url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", realm().host("web"), self.https_port())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The processes that it started and that still run.
    pub fn children(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id()));
        let lists = tasks.into_iter().flatten().flatten();
        lists
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|pid| pid.parse().ok())
            .collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Replaces the configuration and asks for a reload.
    #[track_caller]
    pub fn reload(&self, config: &str) {
        write_config(self.dir(), &self.role, config);
        self.signal(Signal::SIGHUP);
    }

    /// Ends it as a power cut does.
    #[track_caller]
    pub fn kill9(&mut self) {
        self.signal(Signal::SIGKILL);
        self.process.wait_exit(LIMIT);
    }

    /// Asks it to end, and waits.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.process.stop()
    }

    /// Starts it again in the same directory, ending it first if it runs. A listener on
    /// port 0 has another port then.
    #[track_caller]
    pub fn restart(&mut self) {
        if self.process.ended().is_none() {
            self.stop();
        }
        self.process = spawn(&self.role, self.dir.path(), &self.env);
        self.wait_ready();
    }

    /// The program and what it prints.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it logged, since its last start.
    pub fn log(&self) -> Vec<Value> {
        let lines = self.process.lines();
        lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for a log line.
    #[track_caller]
    pub fn wait_log(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until(LIMIT, what, || self.log().into_iter().find(&wanted))
    }

    /// What is in the audit file.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir().join("audit")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for an audit line.
    #[track_caller]
    pub fn wait_audit(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until(LIMIT, what, || self.audit().into_iter().find(&wanted))
    }

    #[track_caller]
    fn wait_ready(&mut self) {
        let ready = |line: &str| {
            serde_json::from_str(line).is_ok_and(|line| field(&line, "event") == Some("ready"))
        };
        self.process.wait_for(ready, LIMIT + Duration::from_secs(10));
    }

    #[track_caller]
    fn port(&self, what: &str) -> u16 {
        self.address(what, |_| true).rsplit(':').next().unwrap().parse().unwrap()
    }

    #[track_caller]
    fn address(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let lines = self.log();
        let listening = lines.iter().filter(|line| {
            field(line, "event") == Some("listening") && field(line, "what") == Some(what)
        });
        let mut addresses = listening.filter_map(|line| field(line, "address"));
        let found = addresses.find(|address| wanted(address)).map(str::to_owned);
        found.unwrap_or_else(|| {
            panic!("doorward has no {what} listener:\n{}", self.process.lines().join("\n"))
        })
    }
}

/// A field of a log line, on top or under `fields`.
pub fn field<'a>(line: &'a Value, name: &str) -> Option<&'a str> {
    line.get(name).or_else(|| line.get("fields")?.get(name))?.as_str()
}

/// The program, in an environment that knows both realms.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.env("KRB5_CONFIG", &realm().krb5_config_two_realms);
    command
}

fn spawn(role: &str, dir: &Path, env: &Vec<(String, String)>) -> Process {
    let mut command = program();
    command.arg(role).arg("--config").arg(config_file(dir));
    for (key, value) in env {
        command.env(key, value);
    }
    Process::start(&format!("doorward {role}"), &mut command)
}

fn config_file(dir: &Path) -> PathBuf {
    dir.join("doorward.toml")
}

fn write_config(dir: &Path, role: &str, config: &str) {
    let mut text = with_state_and_log(config);
    if role != "front" {
        text.push_str(core_unless_named(config));
    }
    let text = text.replace("{dir}", dir.to_str().unwrap());
    std::fs::write(config_file(dir), text).unwrap();
}

/// A configuration whose state and audit log are in `{dir}`, where it says nothing of them.
pub fn with_state_and_log(config: &str) -> String {
    let state = if has(config, "state_path") { "" } else { "state_path = \"{dir}/state\"\n" };
    let log = "\n[log]\nformat = \"json\"\naudit = \"{dir}/audit\"\n";
    let log = if has(config, "[log]") { "" } else { log };
    [state, config, log].concat()
}

/// A core whose socket is in `{dir}`, for a configuration that says nothing of a core.
pub fn core_unless_named(config: &str) -> &'static str {
    if has(config, "[core]") { "" } else { "\n[core]\nlisten = \"unix:{dir}/core.sock\"\n" }
}

fn has(config: &str, start: &str) -> bool {
    config.lines().any(|line| line.trim_start().starts_with(start))
}
