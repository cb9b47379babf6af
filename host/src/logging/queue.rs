//! Log lines on their way out. A thread of their own writes them, so that whoever reads standard error and has stalled, such as a
//! collector behind a full pipe, holds up no request.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait at the most; those that find no room are counted, and not written.
const ROOM: usize = 1024;

/// How long the end of the process waits for the lines that are left.
const LAST: Duration = Duration::from_secs(1);

/// How long it waits for room to ask for that.
const PAUSE: Duration = Duration::from_millis(10);

/// Where lines are put in.
#[derive(Clone)]
pub(super) struct Queue {
    out: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

enum Message {
    Line(Box<[u8]>),
    /// Nothing before this is left to write.
    Here(SyncSender<()>),
}

/// Waits, when it is dropped, until the lines that were put in before are written, though not for ever.
#[must_use]
pub struct Flush(Queue);

impl Queue {
    /// A queue whose lines are written to `sink`. Whenever all of them are, `tell` is given the number of those that found no room
    /// since it was called last, if there are any.
    pub(super) fn start(
        sink: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<(Self, Flush)> {
        let (out, lines) = sync_channel(ROOM);
        let queue = Self { out, lost: Arc::default() };
        let lost = Arc::clone(&queue.lost);
        thread::Builder::new().name("log".into()).spawn(move || write(&lines, sink, &lost, tell))?;
        Ok((queue.clone(), Flush(queue)))
    }

    fn put(&self, line: &[u8]) {
        if self.out.try_send(Message::Line(line.into())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lines of this process that were not written.
static LOST: AtomicU64 = AtomicU64::new(0);

/// How many log lines of this process were not written, as nobody took those before them.
pub(crate) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

fn write(lines: &Receiver<Message>, mut sink: impl Write, lost: &AtomicU64, tell: impl Fn(u64)) {
    while let Ok(message) = lines.recv() {
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                // Where it cannot be written, as on a full disk, there is nobody to tell.
                Message::Line(line) => drop(sink.write_all(&line)),
                Message::Here(waiting) => drop(waiting.try_send(())),
            }
            next = lines.try_recv().ok();
        }
        // There is room now for the line that this leads to.
        match lost.swap(0, Ordering::Relaxed) {
            0 => {}
            lost => tell(lost),
        }
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Queue {
    /// Takes one record, as `tracing` hands them over: whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let until = Instant::now() + LAST;
        let (here, waiting) = sync_channel(1);
        while self.0.out.try_send(Message::Here(here.clone())).is_err() {
            if Instant::now() >= until {
                return;
            }
            thread::sleep(PAUSE);
        }
        // Who does not take them by then never will.
        let _ = waiting.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Mutex,
        mpsc::{Sender, channel},
    };

    /// Takes a line only when it is let.
    struct Stalled {
        turn: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // Closed: everything goes through.
            let _ = self.turn.recv();
            self.taken.lock().unwrap().extend(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stalled(tell: impl Fn(u64) + Send + 'static) -> (Queue, Flush, Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let (go, turn) = channel();
        let taken = Arc::default();
        let (queue, flush) = Queue::start(Stalled { turn, taken: Arc::clone(&taken) }, tell).unwrap();
        (queue, flush, go, taken)
    }

    #[test]
    fn the_end_waits_for_what_is_left() {
        let (queue, flush, go, taken) = stalled(|_| {});
        let lines: Vec<String> = (0..100).map(|n| format!("{n}\n")).collect();
        for line in &lines {
            queue.put(line.as_bytes());
        }
        drop(go);
        drop(flush);
        assert_eq!(taken.lock().unwrap().as_slice(), lines.concat().as_bytes());
    }

    #[test]
    fn a_reader_that_stalls_holds_up_nobody_and_is_told_how_many_lines_it_missed() {
        const MORE: u64 = 500;
        let (told, missed) = channel();
        let (queue, flush, go, taken) = stalled(move |lost| told.send(lost).unwrap());
        let before = lost();
        let room = u64::try_from(ROOM).unwrap();
        let begun = Instant::now();
        for _ in 0..room + MORE {
            queue.put(b"line\n");
        }
        // The writer may have taken one out before it stalled.
        let lost = lost() - before;
        assert!((MORE - 1..=MORE).contains(&lost), "{lost}");
        drop(flush);
        assert!(begun.elapsed() < 10 * LAST, "the end waited for a reader that does not read");
        drop(go);
        assert_eq!(missed.recv_timeout(10 * LAST).unwrap(), lost);
        assert_eq!(taken.lock().unwrap().len(), usize::try_from(room + MORE - lost).unwrap() * 5);
    }
}
