//! What a person or a script reads.

use super::Failure;
use crate::text::{harmless, is_deceptive};
use rustix::fs::{FileType, fstat};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{self, Path, PathBuf},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

/// Prints a line to standard output.
pub(super) fn say(line: &str) -> Result<(), Failure> {
    say_to(&mut io::stdout().lock(), line)
}

/// Prints a line that holds a secret to standard output, past its buffer, which would keep it.
pub(super) fn say_once(line: &str) -> Result<(), Failure> {
    say_to(&mut File::from(io::stdout().as_fd().try_clone_to_owned()?), line)
}

/// Prints a line to `out`.
pub(super) fn say_to(out: &mut impl Write, line: &str) -> Result<(), Failure> {
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Whether this output is the null device, as it also is for a process that was started with it closed.
pub(super) fn is_nowhere(out: impl AsFd) -> bool {
    let null = fs::metadata("/dev/null").ok().filter(|null| null.file_type().is_char_device());
    null.zip(fstat(out).ok()).is_some_and(|(null, out)| {
        FileType::from_raw_mode(out.st_mode) == FileType::CharacterDevice && out.st_rdev == null.rdev()
    })
}

/// Prints JSON in one line to standard output, without what a terminal would act on.
pub(super) fn say_json(value: &Value) -> Result<(), Failure> {
    say(&harmless(&value.to_string()))
}

/// Prints one line to standard error, whatever `text` holds. Where nobody takes it, that is given up after a while: a process that has
/// failed is to end, also behind a full pipe.
pub(super) fn complain(text: &str) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let escape = |c: char| if is_deceptive(c) { c.escape_default().collect() } else { String::from(c) };
    let line: String = text.chars().map(escape).collect();
    let line = format!("waxseal: {line}\n");
    let (done, written) = channel();
    let copy = line.clone();
    let write = move || {
        let _ = io::stderr().write_all(copy.as_bytes());
        let _ = done.send(());
    };
    match thread::Builder::new().spawn(write) {
        Ok(_) => drop(written.recv_timeout(PATIENCE)),
        Err(_) => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// Text of others for a terminal: one line, without characters that act on it or deceive its reader.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_deceptive(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// How one of these words is asked for: `a, b or c`.
pub(super) fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let listed = words.collect::<Vec<_>>().join(", ");
    listed.rsplit_once(", ").map(|(rest, last)| format!("{rest} or {last}")).unwrap_or(listed)
}

/// Rows under a head, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.len())).max().unwrap_or(0)
    };
    let line = |cells: &[String; N]| {
        let padded: Vec<String> = cells.iter().enumerate().map(|(at, cell)| format!("{cell:<0$}", width(at))).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&head.map(String::from))];
    lines.extend(rows.iter().map(line));
    lines.join("\n")
}

/// A member as a person reads it.
pub(super) fn cell(object: &Value, name: &str) -> String {
    match object.get(name) {
        None | Some(Value::Null) => "-".into(),
        Some(Value::String(text)) if text.is_empty() => "-".into(),
        Some(Value::String(text)) => plain(text),
        Some(other) => other.to_string(),
    }
}

/// The path from the root that `--to` names for a new file with `what`; where that takes a working directory and there is none, the error
/// names the path that was given.
pub(super) fn absolute(given: &Path, what: &str) -> Result<PathBuf, Failure> {
    if given.as_os_str() == "-" {
        return Err(Failure::usage(format_args!(
            "--to -: {what} goes into a new file, not to standard output; `./-` is a file of that name"
        )));
    }
    path::absolute(given).map_err(|error| {
        Failure::refused(format_args!("cannot use `{}` from this working directory: {error}", given.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_listed_as_a_choice() {
        assert_eq!(
            [&["a"][..], &["a", "b"], &["a", "b", "c"]].map(|words| one_of(words.iter().copied())),
            ["a", "a or b", "a, b or c"]
        );
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a".into(), "longer".into()], ["bbb".into(), "\u{e9}".into()]];
        assert_eq!(table(["N", "V"], &rows), "N    V\na    longer\nbbb  \u{e9}");
    }
}
