//! A few threads before one bounded queue, for work that blocks.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Threads that turn an `I` into an `O`. Dropping this ends them, and waits for
/// the one job that each may be at: a library that tidies up when the process
/// ends must not be in use any more by then (MIT's aborts).
#[derive(Debug)]
pub(super) struct Workers<I, O> {
    queue: Arc<Queue<I, O>>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// As many jobs wait as may wait.
    Full,
    /// The job panicked.
    Panicked,
}

#[derive(Debug)]
struct Queue<I, O> {
    state: Mutex<State<I, O>>,
    changed: Condvar,
    bound: usize,
}

#[derive(Debug)]
struct State<I, O> {
    jobs: VecDeque<Job<I, O>>,
    closed: bool,
}

#[derive(Debug)]
struct Job<I, O> {
    input: I,
    answer: oneshot::Sender<O>,
}

impl<I: Send + 'static, O: Send + 'static> Workers<I, O> {
    /// Starts `threads` threads named `NAME-0`, `NAME-1`, … before a queue of
    /// `bound` places. Each works with a function of its own, made by `make` on
    /// the thread itself, and made anew after a panic.
    pub(super) fn start<F>(
        name: &str,
        threads: usize,
        bound: usize,
        make: impl Fn() -> F + Send + Clone + 'static,
    ) -> io::Result<Self>
    where
        F: FnMut(I) -> O,
    {
        let state = Mutex::new(State { jobs: VecDeque::new(), closed: false });
        let queue = Arc::new(Queue { state, changed: Condvar::new(), bound });
        let mut workers = Self { queue, threads: Vec::new() };
        for number in 0..threads {
            let queue = Arc::clone(&workers.queue);
            let make = make.clone();
            let thread = thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || queue.work(make))?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Has a job done.
    pub(super) async fn ask(&self, input: I) -> Result<O, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        self.queue.put(Job { input, answer })?;
        answered.await.map_err(|_| NoAnswer::Panicked)
    }
}

impl<I, O> Drop for Workers<I, O> {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic that got past the job's own catch has been printed already.
            let _ = thread.join();
        }
    }
}

impl<I, O> Queue<I, O> {
    fn put(&self, job: Job<I, O>) -> Result<(), NoAnswer> {
        let mut state = self.lock();
        if state.jobs.len() >= self.bound {
            return Err(NoAnswer::Full);
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job that somebody still waits for; `None` when all is over.
    fn take(&self) -> Option<Job<I, O>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            match state.jobs.pop_front() {
                Some(job) if job.answer.is_closed() => {}
                Some(job) => return Some(job),
                None => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn work<F: FnMut(I) -> O>(&self, make: impl Fn() -> F) {
        // Session traffic goes first when handshakes storm. On Linux this is the
        // thread's own; where it is not allowed, things work all the same.
        let _ = rustix::process::nice(NICE);
        let mut function = make();
        while let Some(Job { input, answer }) = self.take() {
            // Unwind safe: what a panic may have left half done is thrown away.
            match catch_unwind(AssertUnwindSafe(|| function(input))) {
                Ok(output) => drop(answer.send(output)),
                Err(_) => function = make(),
            }
        }
    }

    /// No code that can panic runs under this lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State<I, O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A third of the processor time of an equal thread beside it (sched(7)).
const NICE: i32 = 5;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_job_comes_back_with_its_own_answer() {
        let workers = Workers::start("double", 2, 8, || |n: u32| n * 2).unwrap();
        let (three, five) = tokio::join!(workers.ask(3), workers.ask(5));
        assert_eq!((three, five), (Ok(6), Ok(10)));
    }

    #[tokio::test]
    async fn threads_have_names_and_go_last() {
        let look = |()| {
            let name = thread::current().name().map(str::to_owned);
            (name, rustix::process::getpriority_process(None).unwrap())
        };
        let workers = Workers::start("gss", 1, 8, move || look).unwrap();
        let (name, nice) = workers.ask(()).await.unwrap();
        let ours = rustix::process::getpriority_process(None).unwrap();
        assert_eq!((name.as_deref(), nice), (Some("gss-0"), ours + NICE));
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let workers = Workers::start("panicky", 1, 8, || {
            let mut seen = 0;
            move |panic: bool| {
                assert!(!panic, "on purpose");
                seen += 1;
                seen
            }
        })
        .unwrap();
        assert_eq!(workers.ask(false).await, Ok(1));
        assert_eq!(workers.ask(true).await, Err(NoAnswer::Panicked));
        assert_eq!(workers.ask(false).await, Ok(1), "what the panic may have broken is made anew");
    }

    #[tokio::test]
    async fn a_full_queue_is_answered_at_once() {
        let (held, workers) = held_worker(1);
        let working = workers.ask(());
        let waiting = workers.ask(());
        tokio::pin!(working, waiting);
        poll_once(working.as_mut()).await;
        held.begun.recv().unwrap();
        poll_once(waiting.as_mut()).await;
        assert_eq!(workers.ask(()).await, Err(NoAnswer::Full));
        drop(held.go_on);
        assert_eq!(working.await, Ok(()));
        assert_eq!(waiting.await, Ok(()));
    }

    #[tokio::test]
    async fn a_job_that_nobody_waits_for_is_not_done() {
        let (held, workers) = held_worker(8);
        {
            let working = workers.ask(());
            let given_up = workers.ask(());
            tokio::pin!(working, given_up);
            poll_once(working.as_mut()).await;
            held.begun.recv().unwrap();
            poll_once(given_up.as_mut()).await;
        }
        drop(held.go_on);
        assert_eq!(workers.ask(()).await, Ok(()));
        assert_eq!(held.begun.try_iter().count(), 1, "the one given up was begun too");
    }

    #[test]
    fn threads_are_gone_when_they_are_dropped() {
        let (alive, gone) = mpsc::channel::<()>();
        let workers = Workers::start("short", 3, 8, move || {
            let alive = alive.clone();
            move |()| drop(alive.clone())
        })
        .unwrap();
        drop(workers);
        assert_eq!(gone.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }

    /// A job tells when it begins, and goes on when `go_on` is dropped.
    struct Held {
        begun: mpsc::Receiver<()>,
        go_on: mpsc::Sender<()>,
    }

    fn held_worker(bound: usize) -> (Held, Workers<(), ()>) {
        let (begin, begun) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let workers = Workers::start("held", 1, bound, move || {
            let (begin, wait) = (begin.clone(), Arc::clone(&wait));
            move |()| {
                begin.send(()).unwrap();
                let _ = wait.lock().unwrap().recv_timeout(Duration::from_secs(10));
            }
        });
        (Held { begun, go_on }, workers.unwrap())
    }

    async fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) {
        let mut future = Some(future);
        std::future::poll_fn(|context| {
            if let Some(future) = future.take() {
                assert!(future.poll(context).is_pending());
            }
            std::task::Poll::Ready(())
        })
        .await;
    }
}
