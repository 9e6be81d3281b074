//! Child processes whose output is kept, and waiting with a limit.
#![allow(clippy::disallowed_methods, reason = "here, and only here, tests wait")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::LIMIT;

/// Asks `poll` until it gives a value; fails the test when `limit` has passed.
#[track_caller]
pub fn wait_until<T>(limit: Duration, what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Lets time pass that a program counts.
pub fn pass(time: Duration) {
    let start = Instant::now();
    wait_until(LIMIT, "the passing of time", || (start.elapsed() >= time).then_some(()));
}

/// What `work` gave, and how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

#[derive(Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
    /// Pipes that were not read to their end yet.
    unread: AtomicUsize,
}

/// A running program. It is ended when this is dropped.
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
}

impl Process {
    /// Starts `command`, keeping the lines of its stdout and stderr.
    #[track_caller]
    pub fn start(name: &str, command: &mut Command) -> Process {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start: {e} ({command:?})"));
        let output = Arc::new(Output::default());
        keep(child.stdout.take().unwrap(), &output);
        keep(child.stderr.take().unwrap(), &output);
        Process { name: name.to_owned(), child, output }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All lines so far, of stdout and stderr as they came.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines.lock().unwrap().clone()
    }

    /// The first line for which `wanted` holds, waiting for it.
    #[track_caller]
    pub fn wait_for(&mut self, wanted: impl Fn(&str) -> bool, limit: Duration) -> String {
        let end = Instant::now() + limit;
        let output = Arc::clone(&self.output);
        let mut lines = output.lines.lock().unwrap();
        let mut seen = 0;
        loop {
            if let Some(line) = lines[seen..].iter().find(|line| wanted(line)) {
                return line.clone();
            }
            seen = lines.len();
            let read = self.output.unread.load(Ordering::Acquire) == 0;
            // Its last words may still be in the pipe when it is gone.
            let gone = self.child.try_wait().unwrap().filter(|_| read);
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                gone.is_none() && !left.is_zero(),
                "{} did not print what was waited for ({}). It printed:\n{}",
                self.name,
                gone.map_or(format!("within {limit:?}"), |status| status.to_string()),
                lines.join("\n")
            );
            // Woken by a line; looks after the process now and then even without one.
            let nap = left.min(Duration::from_millis(200));
            lines = output.grown.wait_timeout(lines, nap).unwrap().0;
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let _gone_already = kill(self.pid(), signal);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait_until(limit, &what, || self.ended())
    }

    /// Asks it to end, and waits until it has.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait_exit(LIMIT)
    }

    /// Asks it to end, and gives all that it printed.
    #[track_caller]
    pub fn last_words(&mut self) -> Vec<String> {
        if self.ended().is_none() {
            self.stop();
        }
        let what = format!("the last words of {}", self.name);
        let read = || self.output.unread.load(Ordering::Acquire) == 0;
        wait_until(LIMIT, &what, || read().then_some(()));
        self.lines()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        self.signal(Signal::SIGTERM);
        let end = Instant::now() + Duration::from_secs(3);
        while self.ended().is_none() && Instant::now() < end {
            let (lines, nap) = (self.output.lines.lock().unwrap(), Duration::from_millis(10));
            drop(self.output.grown.wait_timeout(lines, nap));
        }
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

fn keep(from: impl Read + Send + 'static, output: &Arc<Output>) {
    let output = Arc::clone(output);
    output.unread.fetch_add(1, Ordering::Release);
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            output.lines.lock().unwrap().push(text);
            output.grown.notify_all();
            line.clear();
        }
        output.unread.fetch_sub(1, Ordering::Release);
        output.grown.notify_all();
    });
}
