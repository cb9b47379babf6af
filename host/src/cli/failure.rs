//! How a command ends when it does not succeed.

use super::terminal;
use crate::{config::Problem, data_dir::DataError, store::StoreError};
use clap::error::ErrorKind;
use core::fmt;
use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was refused or it failed: exit status 1. With the code of the answer that says so, where there is one.
    Refused { text: String, code: Option<String> },
    /// The command line or the configuration is wrong: exit status 2, one line each.
    Usage(Vec<String>),
    /// The answer has been printed and it is "no": exit status 1.
    No,
    /// Whoever reads our output has gone: no message, as for `waxseal … | head`.
    Unread,
    /// Help or the version, which clap prints itself: exit status 0.
    Help(clap::Error),
    /// A command is missing: the help on standard error, exit status 2.
    Bare(clap::Error),
}

impl Failure {
    pub(super) fn refused(text: impl fmt::Display) -> Self {
        Self::Refused { text: text.to_string(), code: None }
    }

    /// Whether an answer with this code has refused.
    pub(super) fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code: Some(code), .. } if code == expected)
    }

    pub(super) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(vec![text.to_string()])
    }

    /// The verdict "no" after it was told. It holds also where nobody reads: who only asks for the exit status must not take it for "yes".
    pub(super) fn no(told: Result<(), Self>) -> Self {
        match told {
            Ok(()) | Err(Self::Unread) => Self::No,
            Err(other) => other,
        }
    }

    /// The same refusal with more said at its end.
    pub(super) fn with(self, more: &str) -> Self {
        match self {
            Self::Refused { text, code } => Self::Refused { text: text + more, code },
            other => other,
        }
    }

    /// The same refusal in the words of the command line.
    pub(super) fn reworded(self, theirs: &str, ours: &str) -> Self {
        match self {
            Self::Refused { text, code } => Self::Refused { text: text.replace(theirs, ours), code },
            Self::Usage(lines) => Self::Usage(lines.iter().map(|line| line.replace(theirs, ours)).collect()),
            other => other,
        }
    }

    /// Clap's messages have paragraphs; ours are one line.
    pub(super) fn from_clap(error: clap::Error) -> Self {
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::Bare(error);
        }
        if !error.use_stderr() {
            return Self::Help(error);
        }
        let rendered = error.render().to_string();
        let text = rendered.strip_prefix("error: ").unwrap_or(&rendered);
        let told =
            text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
        let words: Vec<&str> = told.filter(|line| !line.is_empty()).collect();
        let words = words.join(" ").replace(" tip: ", "; ");
        Self::usage(format_args!("{words}{}; see --help", empty_variable(&words)))
    }

    /// Says what happened and gives the exit status.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Self::Refused { text, .. } => {
                terminal::complain(&text);
                ExitCode::from(1)
            }
            Self::Usage(lines) => {
                for line in &lines {
                    terminal::complain(line);
                }
                ExitCode::from(2)
            }
            Self::No => ExitCode::from(1),
            Self::Unread => ExitCode::SUCCESS,
            Self::Help(error) => match error.print() {
                Ok(()) => ExitCode::SUCCESS,
                Err(unwritten) => Self::from(unwritten).report(),
            },
            Self::Bare(error) => {
                let _ = write!(io::stderr(), "{}", error.render());
                ExitCode::from(2)
            }
        }
    }
}

/// Where the empty value that clap complains of comes from, if not from the command line.
fn empty_variable(words: &str) -> String {
    let is_meant = |variable: &str, option: &str| {
        words.contains(option) && env::var_os(variable).is_some_and(|value| value.is_empty())
    };
    let empty = [("WAXSEAL_DATA", "'--data <"), ("WAXSEAL_CONFIG", "'--config <")];
    let found = empty.into_iter().find(|(variable, option)| is_meant(variable, option));
    found.map(|(variable, _)| format!(" ({variable} is set, but empty)")).unwrap_or_default()
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::refused(error)
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Usage(problems.iter().map(Problem::to_string).collect())
    }
}

/// An error of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::refused(format_args!("cannot write the output: {error}")),
        }
    }
}
