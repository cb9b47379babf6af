//! Passwords from people and scripts, never from the command line (security S4), and generated ones.

use super::{Failure, admin::runtime, terminal::plain};
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use zeroize::Zeroizing;

/// A password.
pub(super) type Secret = Zeroizing<String>;

/// Where a new password comes from; a prompt when nothing is named.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct NewPassword {
    /// Read the password from a file, or from standard input if it is `-`; a single line break at its end is dropped
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The same as `--password-file -`
    #[arg(long)]
    password_stdin: bool,
}

impl NewPassword {
    /// The password for `whom`; asks twice on a terminal.
    pub(super) fn read(&self, whom: &str) -> Result<Secret, Failure> {
        match &self.password_file {
            Some(path) if path.as_os_str() != "-" => from_file(path),
            None if !self.password_stdin => prompt(whom),
            _ => one_line(&octets_of_input()?, INPUT),
        }
    }
}

/// The password in a file.
pub(super) fn from_file(path: &Path) -> Result<Secret, Failure> {
    let name = format!("the password file `{}`", path.display());
    one_line(&octets_of(path, &name)?, &name)
}

/// What is in the file that messages call `name`, which is no larger than a file of passwords has any need to be.
pub(super) fn octets_of(path: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut file = File::open(path).map_err(|error| Failure::refused(format_args!("cannot read {name}: {error}")))?;
    read_from(&mut file, name)
}

/// What is on standard input, likewise.
pub(super) fn octets_of_input() -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_from(&mut io::stdin().lock(), INPUT)
}

/// What messages call it.
pub(super) const INPUT: &str = "standard input";

fn read_from(place: &mut impl Read, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // With all its room from the start, it never leaves a copy behind when it grows.
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_OCTETS + 1));
    let read = place.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets);
    read.map_err(|error| Failure::refused(format_args!("cannot read {name}: {error}")))?;
    if octets.len() > MAX_OCTETS {
        return Err(Failure::refused(format_args!(
            "{name} holds more than {MAX_OCTETS} octets, far more than passwords take"
        )));
    }
    Ok(octets)
}

fn one_line(octets: &[u8], place: &str) -> Result<Secret, Failure> {
    let text = core::str::from_utf8(octets)
        .map_err(|_| Failure::refused(format_args!("{place} is not UTF-8, which a password has to be")))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    match text {
        text if text.starts_with('\u{feff}') => Err(Failure::refused(format_args!(
            "{place} begins with a byte order mark, which nobody could type; save it as UTF-8 without one"
        ))),
        "" => Err(Failure::refused(format_args!("{place} is empty; put the password there"))),
        text if text.contains('\n') => {
            Err(Failure::refused(format_args!("{place} has several lines; a password is one line")))
        }
        text => Ok(Zeroizing::new(text.into())),
    }
}

fn prompt(whom: &str) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask for the password; use --password-file or --password-stdin",
        ));
    }
    let failed = |error: io::Error| Failure::refused(format_args!("cannot ask for the password: {error}"));
    // Caught here, so that Ctrl-C does not end the process before the terminal shows again what is typed.
    let runtime = runtime()?;
    let mut interrupts = runtime.block_on(async { signal(SignalKind::interrupt()) }).map_err(failed)?;
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let mut ask = |text: &str| match typed(&mut terminal, text) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => process::exit(INTERRUPTED),
        asked => one_line(&asked.map_err(failed)?, "the line from the terminal"),
    };
    let first = ask(&format!("New password for {}: ", plain(whom)))?;
    let second = ask("Once more: ")?;
    // One that came between the two, or from another process, still counts; from now on it ends the process again.
    let missed = runtime.block_on(async { timeout(Duration::from_millis(1), interrupts.recv()).await });
    if missed.is_ok() {
        process::exit(INTERRUPTED);
    }
    thread::spawn(move || {
        if runtime.block_on(interrupts.recv()).is_some() {
            process::exit(INTERRUPTED);
        }
    });
    if *first == *second { Ok(first) } else { Err(Failure::refused("the two passwords differ; nothing was changed")) }
}

/// The line that somebody types and nobody sees, octet for octet. A terminal keeps 4095 octets of a longer one: still too many for a
/// password, so that it is refused and not cut.
fn typed(terminal: &mut File, prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let usual = tcgetattr(&*terminal)?;
    let mut hiding = usual.clone();
    hiding.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
    hiding.local_modes.insert(LocalModes::ICANON);
    // So that the key for Enter ends a line, and the one that erases takes whole characters.
    hiding.input_modes.insert(InputModes::ICRNL | InputModes::IUTF8);
    // Ctrl-C ends one too; as a signal it would not end the reading.
    hiding.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    tcsetattr(&*terminal, OptionalActions::Now, &hiding)?;
    let line = terminal.write_all(prompt.as_bytes()).and_then(|()| line_of(terminal));
    tcsetattr(&*terminal, OptionalActions::Now, &usual)?;
    // What has ended the line was not shown either.
    terminal.write_all(b"\n")?;
    line
}

/// One line of a terminal, which gives no more than that to one reading.
fn line_of(terminal: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let (mut line, mut part) = (Zeroizing::new(Vec::with_capacity(4096)), Zeroizing::new([0; 4096]));
    loop {
        let read = terminal.read(part.as_mut_slice())?;
        line.extend_from_slice(part.get(..read).unwrap_or_default());
        match line.last() {
            Some(&CTRL_C) => return Err(io::ErrorKind::Interrupted.into()),
            Some(b'\n') => return Ok(line),
            _ if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            // Ctrl-D, which ends no line that has something in it.
            _ => {}
        }
    }
}

const CTRL_C: u8 = 3;

/// What shells make of SIGINT.
const INTERRUPTED: i32 = 128 + 2;

/// A password of 140 random bits that every policy takes: the fixed first group has a character of each kind that the
/// `redis` policy asks for.
pub(super) fn generate() -> Result<Secret, Failure> {
    loop {
        let text = draw()?;
        // That policy takes at most three equal characters in a row; so rare that nothing is lost by drawing again.
        if !text.as_bytes().windows(4).any(|run| run.iter().all(|octet| Some(octet) == run.first())) {
            return Ok(text);
        }
    }
}

fn draw() -> Result<Secret, Failure> {
    let mut octets = Zeroizing::new([0; 28]);
    getrandom::fill(octets.as_mut_slice())
        .map_err(|error| Failure::refused(format_args!("the system gives no random numbers: {error}")))?;
    let mut text = Zeroizing::new(String::with_capacity(40));
    text.push_str("Wx7");
    for group in octets.chunks(7) {
        text.push('-');
        // 256 is a multiple of 32, so every letter is as likely as any other.
        text.extend(group.iter().filter_map(|octet| LETTERS.get(usize::from(octet % 32)).copied().map(char::from)));
    }
    Ok(text)
}

/// No letter can be taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

const MAX_OCTETS: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(one_line(text.as_bytes(), "here").ok().as_deref().map(String::as_str), expected, "{text:?}");
    }

    #[test]
    fn one_line_end_is_dropped_and_nothing_else() {
        check("secret\n", Some("secret"));
        check("secret\r\n", Some("secret"));
        check(" se cret ", Some(" se cret "));
        check("", None);
        check("\n", None);
        check("a\n\n", None);
        check("a\nb", None);
        check("\u{feff}secret\r\n", None);
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        assert!(from_file(Path::new("/dev/zero")).is_err());
        let (most, more) = ("p".repeat(MAX_OCTETS), "p".repeat(MAX_OCTETS + 1));
        assert_eq!(read_from(&mut most.as_bytes(), "here").unwrap().len(), MAX_OCTETS);
        let Err(Failure::Refused { text: why, .. }) = read_from(&mut more.as_bytes(), "here") else { panic!("cut off") };
        assert!(why.starts_with("here holds more than"), "{why}");
    }

    #[test]
    fn generated_passwords_differ_and_pass_every_policy() {
        use waxseal_core::{
            password::{Policy, Who},
            settings::PolicyName,
        };
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(*one, *other);
        assert_eq!(one.len(), 35);
        let who = Who { name: "admin", service: "waxseal", ..Who::default() };
        for name in [PolicyName::Open, PolicyName::Nist, PolicyName::Redis] {
            let policy = Policy { name, complexity: true, min_length: 8 };
            assert_eq!(policy.check(&one, &who), Ok(()), "{one:?}", one = *one);
        }
    }
}
