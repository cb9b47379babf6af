//! Password derivations: one worker per core, a bounded queue in front, and "busy" beyond it (security P5).
//!
//! While requests that need no derivation are answered, the last worker stands back, so that a core is left for them. Priorities alone
//! do not achieve that: Linux lets a thread that has just begun go on for a while, whoever wakes up beside it.

use crate::{process, source::site, sync};
use core::{
    fmt, mem,
    net::IpAddr,
    num::NonZeroUsize,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{
    collections::VecDeque,
    panic::catch_unwind,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};
use tokio::sync::oneshot;
use waxseal_core::{
    password::{self, Memory, Scheme},
    seam::Derivation,
};
use zeroize::Zeroizing;

/// The derived octets.
pub type Bits = Zeroizing<Vec<u8>>;

/// How large the pool is.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads, hence derivations at once and memory blocks held. Default: one per core.
    pub workers: NonZeroUsize,
    /// How many of them compute whatever else goes on. The others stand back while requests that need no derivation are answered.
    /// Default: one fewer than there are cores, and one at least.
    pub steady: NonZeroUsize,
    /// How many jobs may wait. Default: 64 per worker, which at 15 to 30 ms each keeps the longest wait below two seconds, or below
    /// four on two cores of which one stands back.
    pub queue: usize,
}

impl Limits {
    /// So many workers, and the usual number of everything else for that many.
    pub fn of(workers: NonZeroUsize) -> Self {
        let steady = NonZeroUsize::new(cores().get() - 1).unwrap_or(NonZeroUsize::MIN);
        Self { workers, steady: steady.min(workers), queue: workers.get().saturating_mul(64) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(cores())
    }
}

fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Error {
    /// The queue is full.
    Busy {
        /// Seconds until the present queue is worked off; at least 1.
        retry_after: u32,
    },
    /// The derivation failed: its parameters are out of bounds, or the worker met a defect.
    Failed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { retry_after } => {
                write!(f, "too many password derivations are waiting; retry after {retry_after} s")
            }
            Self::Failed => f.write_str("the password derivation failed"),
        }
    }
}

impl core::error::Error for Error {}

/// What the pool has done, for metrics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Jobs that wait now.
    pub queued: u64,
    /// Jobs that are computed now.
    pub running: u64,
    /// Derivations computed.
    pub done: u64,
    /// Derivations that failed.
    pub failed: u64,
    /// Jobs refused because the queue was full.
    pub rejected: u64,
    /// Jobs dropped unserved because nobody waited for them any more.
    pub cancelled: u64,
    /// Time spent computing.
    pub busy: Duration,
}

/// A pool of derivation workers. Its threads end when it is dropped.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool that computes with [`password::derive`], one reused memory block per worker, large enough for `keep`. A worker that
    /// is idle for a while gives it back.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(limits: Limits, keep: Scheme) -> std::io::Result<Self> {
        Self::with_workers(limits, move || {
            let mut memory = Memory::new(keep);
            move |derivation: &Derivation| password::derive(derivation, &mut memory).ok()
        })
    }

    /// A pool whose threads each compute with what `worker` makes. After a panic, and after a while without work, the thread asks
    /// for a new one.
    fn with_workers<W>(limits: Limits, worker: impl Fn() -> W + Clone + Send + 'static) -> std::io::Result<Self>
    where
        W: FnMut(&Derivation) -> Option<Bits>,
    {
        let shared = Arc::new(Shared::new(limits));
        let mut pool = Self { shared, threads: Vec::with_capacity(limits.workers.get()) };
        for number in 0..limits.workers.get() {
            let (shared, worker) = (Arc::clone(&pool.shared), worker.clone());
            let thread = thread::Builder::new().name(format!("kdf-{number}")).spawn(move || {
                process::step_back();
                shared.work(number, &worker);
            })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Computes `derivation`, which `source` has asked for; `None` for the owner, who waits for no stranger. Dropping the future takes
    /// the job out of the queue unless it is being computed already.
    ///
    /// # Errors
    /// [`Error::Busy`] at once when the queue is full, or half of it is taken by this source; [`Error::Failed`].
    pub async fn derive(&self, derivation: Derivation, source: Option<IpAddr>) -> Result<Bits, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.push(Job { derivation, source: source.map(site), reply })?;
        answer.await.ok().flatten().ok_or(Error::Failed)
    }

    /// Refuses a request of `source` that needs a derivation before anything else is done for it, when there is no room for one;
    /// counted as refused. No room is reserved: [`Pool::derive`] may find none all the same.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub fn admit(&self, source: Option<IpAddr>) -> Result<(), Error> {
        self.shared.room(source.map(site)).map(drop)
    }

    /// Notes that a request was answered without a derivation: while there are such requests, a core is left for them.
    pub fn give_way(&self) {
        add(&self.shared.others, 1);
    }

    /// How many workers compute whatever else goes on.
    pub fn steady(&self) -> NonZeroUsize {
        self.shared.limits.steady
    }

    /// What the pool is doing and has done.
    pub fn stats(&self) -> Stats {
        let queued = sync::lock(&self.shared.queue).jobs.len() as u64;
        self.shared.counters.stats(queued)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        {
            let mut queue = sync::lock(&self.shared.queue);
            queue.closed = true;
            queue.jobs.clear();
        }
        self.shared.ready.notify_all();
        self.shared.reserve.notify_all();
        for thread in self.threads.drain(..) {
            // A worker catches panics of its jobs; there is nothing left to tell anybody.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// One derivation and who waits for it.
struct Job {
    derivation: Derivation,
    /// The site that it is for.
    source: Option<IpAddr>,
    reply: oneshot::Sender<Option<Bits>>,
}

struct Shared {
    limits: Limits,
    queue: Mutex<Queue>,
    /// For the steady workers.
    ready: Condvar,
    /// For those that stand back.
    reserve: Condvar,
    /// Requests that were answered without a derivation.
    others: AtomicU64,
    counters: Counters,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    fn has_room(&self, limits: &Limits, source: Option<IpAddr>) -> bool {
        let share = limits.queue.div_ceil(2);
        let own = || self.jobs.iter().filter(|job| job.source == source).count();
        // The owner's jobs are bounded by the number of the owner's connections.
        source.is_none() || (self.jobs.len() < limits.queue && (self.jobs.len() < share || own() < share))
    }

    /// Puts `job` behind all that wait, or, if it is the owner's, behind the owner's own only.
    fn push(&mut self, job: Job) {
        let of_owner = || self.jobs.iter().take_while(|job| job.source.is_none()).count();
        let at = if job.source.is_none() { of_owner() } else { self.jobs.len() };
        self.jobs.insert(at, job);
    }
}

impl Shared {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            queue: Mutex::default(),
            ready: Condvar::new(),
            reserve: Condvar::new(),
            others: AtomicU64::new(0),
            counters: Counters::default(),
        }
    }

    /// The queue, with room for one job more of `source`: nobody alone fills it, which would keep all others from logging in.
    fn room(&self, source: Option<IpAddr>) -> Result<MutexGuard<'_, Queue>, Error> {
        let mut queue = sync::lock(&self.queue);
        if !queue.has_room(&self.limits, source) {
            let before = queue.jobs.len();
            queue.jobs.retain(|job| !job.reply.is_closed());
            add(&self.counters.cancelled, (before - queue.jobs.len()) as u64);
        }
        if !queue.has_room(&self.limits, source) {
            add(&self.counters.rejected, 1);
            return Err(Error::Busy { retry_after: self.retry_after(queue.jobs.len()) });
        }
        Ok(queue)
    }

    fn push(&self, job: Job) -> Result<(), Error> {
        let mut queue = self.room(job.source)?;
        queue.push(job);
        drop(queue);
        // One of each: whoever comes first takes it.
        self.ready.notify_one();
        self.reserve.notify_one();
        Ok(())
    }

    /// Waits for the next job somebody still waits for, as long as `patience` lasts. `others` is for a worker that stands back: how
    /// many requests without a derivation there were when it looked last.
    fn pop(&self, patience: Duration, mut others: Option<&mut u64>) -> Next {
        let ready = if others.is_some() { &self.reserve } else { &self.ready };
        let mut queue = sync::lock(&self.queue);
        loop {
            if queue.closed {
                return Next::Closed;
            }
            if let Some(seen) = others.as_deref_mut()
                && !queue.jobs.is_empty()
            {
                let now = self.others.load(Ordering::Relaxed);
                if mem::replace(seen, now) != now {
                    drop(queue);
                    thread::sleep(STAND_BACK);
                    queue = sync::lock(&self.queue);
                    continue;
                }
            }
            match queue.jobs.pop_front() {
                Some(job) if job.reply.is_closed() => add(&self.counters.cancelled, 1),
                Some(job) => {
                    add(&self.counters.running, 1);
                    return Next::Job(job);
                }
                None => {
                    let waited = ready.wait_timeout(queue, patience).unwrap_or_else(PoisonError::into_inner);
                    queue = waited.0;
                    if waited.1.timed_out() && queue.jobs.is_empty() && !queue.closed {
                        return Next::Idle;
                    }
                }
            }
        }
    }

    fn work<W: FnMut(&Derivation) -> Option<Bits>>(&self, number: usize, worker: &impl Fn() -> W) {
        let mut others = (number >= self.limits.steady.get()).then_some(0);
        let mut compute = worker();
        let mut patience = FOREVER;
        loop {
            let Job { derivation, reply, .. } = match self.pop(patience, others.as_mut()) {
                Next::Job(job) => job,
                Next::Idle => {
                    compute = worker();
                    patience = FOREVER;
                    continue;
                }
                Next::Closed => return,
            };
            patience = IDLE;
            let start = Instant::now();
            let bits = catch_unwind(AssertUnwindSafe(|| compute(&derivation))).unwrap_or_else(|_| {
                // What the panic left behind is not used again.
                compute = worker();
                None
            });
            self.counters.finish(start.elapsed(), bits.is_some());
            // The request may have gone away meanwhile.
            let _ = reply.send(bits);
        }
    }

    fn retry_after(&self, waiting: usize) -> u32 {
        let micros = self.counters.mean_micros() * waiting as u64 / self.limits.steady.get() as u64;
        u32::try_from(micros.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1)
    }
}

/// What a worker is to do.
enum Next {
    Job(Job),
    /// There was nothing to do for a while.
    Idle,
    Closed,
}

/// After how long without work a worker gives its memory back. Taking it again costs a derivation some 10 ms.
const IDLE: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(2) };
/// How long there must have been no request answered without a derivation before a worker that stands back goes on.
const STAND_BACK: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_millis(20) };
/// How long a worker that holds nothing waits.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

#[derive(Default)]
struct Counters {
    running: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    cancelled: AtomicU64,
    busy_micros: AtomicU64,
}

impl Counters {
    fn finish(&self, took: Duration, good: bool) {
        self.running.fetch_sub(1, Ordering::Relaxed);
        add(&self.busy_micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        add(if good { &self.done } else { &self.failed }, 1);
    }

    /// What a derivation has taken on average; a guess before the first.
    fn mean_micros(&self) -> u64 {
        let ended = self.done.load(Ordering::Relaxed) + self.failed.load(Ordering::Relaxed);
        self.busy_micros.load(Ordering::Relaxed).checked_div(ended).unwrap_or(25_000)
    }

    fn stats(&self, queued: u64) -> Stats {
        Stats {
            queued,
            running: self.running.load(Ordering::Relaxed),
            done: self.done.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            busy: Duration::from_micros(self.busy_micros.load(Ordering::Relaxed)),
        }
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        future::poll_fn,
        pin::{Pin, pin},
        sync::atomic::AtomicBool,
        task::{Context, Poll, Waker},
    };
    use std::sync::mpsc;

    /// A pool whose workers report each password they start on and compute only when let.
    struct Staged {
        pool: Pool,
        started: mpsc::Receiver<Vec<u8>>,
        go: mpsc::Sender<()>,
    }

    fn staged(workers: usize, queue: usize) -> Staged {
        let (start, started) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let limits = Limits { workers: NonZeroUsize::new(workers).unwrap(), steady: NonZeroUsize::MIN, queue };
        let pool = Pool::with_workers(limits, move || {
            let (start, wait) = (start.clone(), Arc::clone(&wait));
            move |derivation: &Derivation| {
                start.send(derivation.password.to_vec()).unwrap();
                sync::lock(&wait).recv().ok()?;
                assert_ne!(derivation.password.as_slice(), b"panic");
                Some(derivation.password.clone())
            }
        });
        Staged { pool: pool.unwrap(), started, go }
    }

    fn job(password: &str) -> Derivation {
        let password = Zeroizing::new(password.as_bytes().to_vec());
        Derivation { scheme: Scheme::default(), salt: vec![0; 16], password }
    }

    /// Polls once, which queues the job.
    async fn queue<F: Future<Output = Result<Bits, Error>>>(mut future: Pin<&mut F>) {
        let first = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        assert!(first.is_pending(), "the job is queued: {first:?}");
    }

    fn bits(password: &str) -> Bits {
        Zeroizing::new(password.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn refuses_beyond_the_queue_and_says_when_to_come_back() {
        let Staged { pool, started, go } = staged(1, 2);
        let (mut a, mut b, mut c) =
            (pin!(pool.derive(job("a"), None)), pin!(pool.derive(job("b"), None)), pin!(pool.derive(job("c"), None)));
        queue(a.as_mut()).await;
        assert_eq!(started.recv().unwrap(), b"a");
        queue(b.as_mut()).await;
        queue(c.as_mut()).await;
        let stranger = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(pool.derive(job("d"), stranger).await, Err(Error::Busy { retry_after: 1 }));
        assert_eq!(pool.admit(stranger), Err(Error::Busy { retry_after: 1 }));
        assert_eq!((pool.stats().queued, pool.stats().running, pool.stats().rejected), (2, 1, 2));
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        assert_eq!((a.await, b.await, c.await), (Ok(bits("a")), Ok(bits("b")), Ok(bits("c"))));
        assert_eq!((pool.stats().queued, pool.stats().running, pool.stats().done), (0, 0, 3));
        assert_eq!(pool.admit(None), Ok(()));
    }

    #[tokio::test]
    async fn one_source_alone_leaves_room_for_others() {
        let Staged { pool, started, go } = staged(1, 4);
        let source = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let mut running = pin!(pool.derive(job("a"), source(1)));
        queue(running.as_mut()).await;
        assert_eq!(started.recv().unwrap(), b"a");
        let (mut b, mut c) = (pin!(pool.derive(job("b"), source(1))), pin!(pool.derive(job("c"), source(1))));
        queue(b.as_mut()).await;
        queue(c.as_mut()).await;
        assert!(pool.admit(source(1)).is_err() && pool.derive(job("d"), source(1)).await.is_err(), "half are its own");
        assert_eq!((pool.admit(source(2)), pool.admit(None)), (Ok(()), Ok(())));
        let mut other = pin!(pool.derive(job("e"), source(2)));
        queue(other.as_mut()).await;
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        let all = (running.await, b.await, c.await, other.await);
        assert_eq!(all, (Ok(bits("a")), Ok(bits("b")), Ok(bits("c")), Ok(bits("e"))));
        assert_eq!(pool.admit(source(1)), Ok(()));
    }

    /// However many strangers wait.
    #[tokio::test]
    async fn the_owner_waits_for_his_own_only() {
        let Staged { pool, started, go } = staged(1, 2);
        let source = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let mut running = pin!(pool.derive(job("a"), source(1)));
        queue(running.as_mut()).await;
        assert_eq!(started.recv().unwrap(), b"a");
        let (mut b, mut c) = (pin!(pool.derive(job("b"), source(2))), pin!(pool.derive(job("c"), source(3))));
        queue(b.as_mut()).await;
        queue(c.as_mut()).await;
        assert!(pool.admit(source(4)).is_err());
        assert_eq!(pool.admit(None), Ok(()));
        let (mut d, mut e) = (pin!(pool.derive(job("d"), None)), pin!(pool.derive(job("e"), None)));
        queue(d.as_mut()).await;
        queue(e.as_mut()).await;
        let mut order = String::new();
        for _ in 0..4 {
            go.send(()).unwrap();
            order.push_str(core::str::from_utf8(&started.recv().unwrap()).unwrap());
        }
        go.send(()).unwrap();
        assert_eq!(order, "debc");
        let all = (running.await, b.await, c.await, d.await, e.await);
        assert_eq!(all, (Ok(bits("a")), Ok(bits("b")), Ok(bits("c")), Ok(bits("d")), Ok(bits("e"))));
    }

    #[tokio::test]
    async fn an_idle_worker_gives_its_memory_back() {
        let made = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&made);
        let limits = Limits { workers: NonZeroUsize::MIN, steady: NonZeroUsize::MIN, queue: 1 };
        let pool = Pool::with_workers(limits, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            |derivation: &Derivation| Some(derivation.password.clone())
        });
        let pool = pool.unwrap();
        assert_eq!(pool.derive(job("a"), None).await, Ok(bits("a")));
        for _ in 0..1000 {
            if made.load(Ordering::Relaxed) > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Once, and not again and again.
        tokio::time::sleep(5 * IDLE).await;
        assert_eq!(made.load(Ordering::Relaxed), 2);
        assert_eq!(pool.derive(job("b"), None).await, Ok(bits("b")));
    }

    #[tokio::test]
    async fn a_request_that_is_gone_leaves_the_queue() {
        let Staged { pool, started, go } = staged(1, 1);
        let mut a = pin!(pool.derive(job("a"), None));
        queue(a.as_mut()).await;
        assert_eq!(started.recv().unwrap(), b"a");
        {
            let mut b = pin!(pool.derive(job("b"), None));
            queue(b.as_mut()).await;
        }
        let mut c = pin!(pool.derive(job("c"), None));
        queue(c.as_mut()).await;
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!((a.await, c.await), (Ok(bits("a")), Ok(bits("c"))));
        assert_eq!(started.recv().unwrap(), b"c", "b was never computed");
        assert_eq!(pool.stats().cancelled, 1);
    }

    #[tokio::test]
    async fn computes_no_more_at_once_than_there_are_workers() {
        let Staged { pool, started, go } = staged(2, 8);
        let (mut a, mut b, mut c) =
            (pin!(pool.derive(job("a"), None)), pin!(pool.derive(job("b"), None)), pin!(pool.derive(job("c"), None)));
        queue(a.as_mut()).await;
        queue(b.as_mut()).await;
        queue(c.as_mut()).await;
        let mut first = [started.recv().unwrap(), started.recv().unwrap()];
        first.sort();
        assert_eq!(first, [b"a", b"b"]);
        assert_eq!((pool.stats().queued, pool.stats().running), (1, 2));
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        assert_eq!((a.await, b.await, c.await), (Ok(bits("a")), Ok(bits("b")), Ok(bits("c"))));
    }

    #[tokio::test]
    async fn the_last_worker_stands_back_while_others_are_answered() {
        let Staged { pool, started, go } = staged(2, 8);
        let (mut a, mut b) = (pin!(pool.derive(job("a"), None)), pin!(pool.derive(job("b"), None)));
        let over = AtomicBool::new(false);
        pool.give_way();
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    pool.give_way();
                    thread::sleep(STAND_BACK / 100);
                }
            });
            assert!(a.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert!(b.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(started.recv().unwrap(), b"a");
            assert_eq!(started.recv_timeout(3 * STAND_BACK), Err(mpsc::RecvTimeoutError::Timeout));
            over.store(true, Ordering::Relaxed);
            assert_eq!(started.recv().unwrap(), b"b", "beside the other, which goes on");
        });
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!((a.await, b.await), (Ok(bits("a")), Ok(bits("b"))));
    }

    #[tokio::test]
    async fn a_panic_refuses_its_job_and_the_worker_goes_on() {
        let Staged { pool, started: _started, go } = staged(1, 8);
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!(pool.derive(job("panic"), None).await, Err(Error::Failed));
        assert_eq!(pool.derive(job("a"), None).await, Ok(bits("a")));
        assert_eq!((pool.stats().done, pool.stats().failed), (1, 1));
    }

    #[test]
    fn the_wait_grows_with_the_queue() {
        let limits = Limits { workers: NonZeroUsize::new(3).unwrap(), steady: NonZeroUsize::new(2).unwrap(), queue: 0 };
        let shared = Shared::new(limits);
        shared.counters.running.store(2, Ordering::Relaxed);
        shared.counters.finish(Duration::from_millis(30), true);
        shared.counters.finish(Duration::from_millis(50), false);
        for (waiting, secs) in [(0, 1), (50, 1), (51, 2), (500, 10)] {
            assert_eq!(shared.retry_after(waiting), secs, "{waiting} jobs of 40 ms on two workers that go on");
        }
    }

    #[tokio::test]
    async fn computes_what_core_computes() {
        let scheme = Scheme::Argon2id { memory: 64, passes: 1, lanes: 1 };
        let derivation = Derivation { scheme, ..job("correct horse") };
        let pool = Pool::start(Limits { workers: NonZeroUsize::MIN, steady: NonZeroUsize::MIN, queue: 1 }, scheme).unwrap();
        let expected = password::derive(&derivation, &mut Memory::new(scheme)).ok();
        assert!(expected.is_some());
        assert_eq!(pool.derive(derivation, None).await.ok(), expected);
    }
}
