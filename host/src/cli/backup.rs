//! `waxseal backup` and `waxseal restore`.

use super::{
    Failure, Target,
    admin::Admin,
    assembled::Assembled,
    terminal::{absolute, complain, say},
};
use crate::{backup, http::Astray, serve::end_of_command, text::shell::word};
use core::time::Duration;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process, thread,
};
use tokio::{sync::oneshot, time::timeout};
use waxseal_core::seam::Method;

/// Where the backup goes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  waxseal backup --data /var/lib/waxseal --to /backup/waxseal-$(date +%F)

The file holds the store and the root key: whoever has it can make tokens. It does not hold \
waxseal.toml and the audit trail.")]
pub(super) struct BackupArgs {
    /// The new file, made with mode 0600; an existing file is never replaced
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// What to bring back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  waxseal restore /backup/waxseal-2031-05-06 --data /var/lib/waxseal

Everything is again as it was at the time of the backup: tokens that were revoked since then hold, \
and passwords that were replaced since then work. `waxseal key rotate --end-tokens` ends all tokens.")]
pub(super) struct RestoreArgs {
    /// A file that `waxseal backup` wrote
    file: PathBuf,
}

pub(super) fn backup(args: &BackupArgs, target: &Target) -> Result<(), Failure> {
    // The running server may have another working directory.
    let to = absolute(&args.to, "a backup")?;
    let shown = to.display();
    // Where nobody can write, there is no trail either that could record the backup.
    let admin = if target.data().is_writable() { Admin::reach(target)? } else { Admin::look(target)? };
    if let Some(assembled) = admin.here() {
        write_here(&admin, assembled, &to)?;
    } else {
        let text = to.to_str().ok_or_else(|| Failure::refused(format_args!("`{shown}` is not UTF-8")))?;
        admin.ask(Method::Post, "/admin/backup", Some(&json!({ "to": text })))?;
    }
    say(&format!("wrote {shown}"))?;
    let Astray { root_key, store, .. } = admin.astray();
    for astray in root_key.into_iter().chain(store) {
        complain(&format!(
            "note: {astray}; this backup has what is missing: bring it back into an empty directory (`waxseal restore`)"
        ));
    }
    Ok(())
}

/// Writes it in this process. A signal that ends it meanwhile leaves nothing of what was begun of the backup, and the audit trail tells.
fn write_here(admin: &Admin, assembled: &Assembled, to: &Path) -> Result<(), Failure> {
    let interrupted = admin.wait(async { end_of_command() }).map_err(Failure::refused)?;
    let (done, mut written) = oneshot::channel();
    thread::scope(|scope| {
        scope.spawn(|| done.send(assembled.backup_to(to)));
        admin.wait(async {
            let ended = tokio::select! {
                ended = &mut written => ended,
                () = interrupted => {
                    assembled.end(PATIENCE);
                    if let Ok(ended @ Ok(Ok(()))) = timeout(PATIENCE, written).await {
                        ended
                    } else {
                        complain("interrupted; no backup was written");
                        // Without waiting for the thread that writes, which may hang.
                        process::exit(1)
                    }
                }
            };
            match ended {
                Ok(written) => written.map_err(Failure::refused),
                Err(_) => Err(Failure::refused("the backup was given up")),
            }
        })
    })
}

/// How long what was begun may take to be removed.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn restore(args: &RestoreArgs, target: &Target) -> Result<(), Failure> {
    let data = target.data();
    backup::restore(&args.file, &data).map_err(Failure::refused)?;
    say(&format!("restored {} into {}", args.file.display(), data.path().display()))?;
    say(&format!(
        "Note: tokens revoked and passwords changed since the backup count as they did then; \
         `waxseal key rotate --end-tokens --data {}` ends all tokens.",
        word(data.path().display())
    ))?;
    say(&format!(
        "Note: the configuration is not part of a backup. What was set before, such as the issuer and the policy for passwords, has to be \
         in {} again.",
        data.config().display()
    ))
}
