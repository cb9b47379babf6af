//! Reads again, on demand, what may change while the server runs.

use super::{Backend, Reloaded, tls::Tls};
use crate::audit::AuditTrail;
use core::time::Duration;
use std::sync::Arc;
use tokio::{sync::Mutex, task::spawn_blocking, time::timeout};

/// How long one of the two parts may take. Files may lie where nobody answers any more.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read again. Of each part one reading goes on at a time, so that what was read last stays in force, and one that hangs holds
/// up neither the other part nor whoever asks next.
pub(crate) struct Reload {
    /// Reopens the audit trail and reads the settings. May block.
    settings: Arc<dyn Fn() -> Reloaded + Send + Sync>,
    tls: Option<Arc<Tls>>,
    turn: Turn,
    turn_of_tls: Turn,
}

type Turn = Arc<Mutex<()>>;

impl Reload {
    pub(crate) fn new<A: Backend>(tls: Option<Arc<Tls>>, audit: Option<Arc<AuditTrail>>, backend: Arc<A>) -> Self {
        let settings = move || {
            let reopened = audit.as_ref().map_or(Ok(()), |audit| audit.reopen());
            let mut reloaded =
                backend.reload().unwrap_or_else(|error| Reloaded { error: Some(error), ..Reloaded::default() });
            if let Err(error) = reopened {
                add(&mut reloaded, format!("cannot reopen the audit trail: {error}"));
            }
            reloaded
        };
        Self { settings: Arc::new(settings), tls, turn: Turn::default(), turn_of_tls: Turn::default() }
    }

    /// Whoever asks for a reload, the log says how it went.
    pub(crate) async fn run(&self) -> Reloaded {
        let settings = Arc::clone(&self.settings);
        let mut reloaded = in_turn(&self.turn, PATIENCE, move || settings()).await.unwrap_or_else(|why| {
            let error = format!("reading the settings {why}");
            Reloaded { error: Some(error), ..Reloaded::default() }
        });
        if let Some(tls) = &self.tls {
            let tls = Arc::clone(tls);
            let read = in_turn(&self.turn_of_tls, PATIENCE, move || tls.reload().map_err(|error| error.to_string())).await;
            let read = read.unwrap_or_else(|why| Err(format!("reading the certificates {why}")));
            if let Err(error) = read {
                add(&mut reloaded, error);
            }
        }
        match &reloaded.error {
            None => tracing::info!("reloaded"),
            Some(error) => tracing::error!(error, "not everything could be reloaded; what failed stays as it was"),
        }
        reloaded
    }
}

fn add(reloaded: &mut Reloaded, error: String) {
    reloaded.error = Some(match reloaded.error.take() {
        None => error,
        Some(before) => format!("{before}; {error}"),
    });
}

/// What `work` returns, which may block and begins once all that came before has ended; or why there is nothing.
async fn in_turn<T: Send + 'static>(
    turn: &Turn,
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let done = async {
        let turn = Arc::clone(turn).lock_owned().await;
        spawn_blocking(move || {
            let _until_then = turn;
            work()
        })
        .await
    };
    match timeout(patience, done).await {
        Ok(done) => done.map_err(|_| "failed".into()),
        Err(_) => Err(format!("has not ended within {} s: a file may hang", patience.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Otherwise one file that hangs would in the end hold every thread and every connection of the owner.
    #[tokio::test]
    async fn what_hangs_is_waited_for_by_nobody_for_long() {
        let turn = Turn::default();
        let (end, hanging) = mpsc::channel::<()>();
        let soon = Duration::from_millis(20);
        let hangs = in_turn(&turn, soon, move || hanging.recv()).await;
        assert!(hangs.unwrap_err().contains("has not ended"));
        let next = in_turn(&turn, soon, || panic!("it has begun")).await;
        assert!(next.unwrap_err().contains("has not ended"));
        drop(end);
        assert_eq!(in_turn(&turn, PATIENCE, || 7).await, Ok(7));
    }
}
