//! `waxseal user`.

use super::{
    Failure, Target,
    admin::{Admin, segment},
    secret::{INPUT, NewPassword, octets_of, octets_of_input},
    terminal::{cell, complain, one_of, plain, say, say_json, table},
};
use crate::{config::show_scheme, text::shell::word};
use clap::{
    ArgGroup,
    builder::{NonEmptyStringValueParser, PossibleValuesParser},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use waxseal_core::{record::Role, seam::Method};

/// Whom a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Name, e-mail address or uid; if it is all digits, `uid:12` or `name:12` says which
    #[arg(value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    pub(super) who: String,
}

/// What to do with users. WHO is a name, an e-mail address or a uid; uid:12 is uid 12, name:12 the user called 12.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a user
    #[command(after_help = "Examples:
  waxseal user add ada --role admin
  waxseal user add ci --role db_viewer --password-file /run/secrets/ci
  waxseal user add bob --password-hash-file bob.phc
                                  from elsewhere: $argon2id$… or $pbkdf2-sha256$…")]
    Add {
        /// The name to log in with
        #[arg(value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
        name: String,
        /// The e-mail address, which also works as a name
        #[arg(long)]
        email: Option<String>,
        #[arg(
            long,
            help = format!("{} [default: db_viewer]", one_of(roles())),
            value_parser = PossibleValuesParser::new(roles()),
            hide_possible_values = true
        )]
        role: Option<String>,
        #[command(flatten)]
        password: NewPassword,
        /// Read password hashes in PHC notation from a file instead, or from standard input if it is `-`; one per line
        #[arg(long, value_name = "FILE", conflicts_with_all = ["password_file", "password_stdin"])]
        password_hash_file: Option<PathBuf>,
        /// Print the new user as JSON
        #[arg(long)]
        json: bool,
    },
    /// List all users
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Show one user
    Show {
        #[command(flatten)]
        who: Who,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a user's name, e-mail address or role; tokens go on
    #[command(group = ArgGroup::new("change").args(["name", "email", "role"]).required(true).multiple(true), after_help = "\
Examples:
  waxseal user set ada --role user_manager
  waxseal user set ada@example.com --name ada.lovelace
  waxseal user set ada --email ''                        without an address")]
    Set {
        #[command(flatten)]
        who: Who,
        /// The new name to log in with
        #[arg(long, value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
        name: Option<String>,
        /// The new e-mail address; if the old one is the name, it becomes the name too
        #[arg(long)]
        email: Option<String>,
        #[arg(long, help = one_of(roles()), value_parser = PossibleValuesParser::new(roles()), hide_possible_values = true)]
        role: Option<String>,
        /// Print the user as JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a new password, which replaces all others and ends earlier tokens
    Passwd {
        #[command(flatten)]
        who: Who,
        /// Add it to the others instead; no token ends
        #[arg(long)]
        add: bool,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Forget the failed logins of a locked user
    Unlock {
        #[command(flatten)]
        who: Who,
    },
    /// Disable a user: neither logins nor tokens work any more
    Disable {
        #[command(flatten)]
        who: Who,
    },
    /// Let a disabled user log in again; earlier tokens do not come back
    Enable {
        #[command(flatten)]
        who: Who,
    },
    /// End all tokens of a user
    Logout {
        #[command(flatten)]
        who: Who,
    },
    /// Delete a user; all tokens end at once
    Delete {
        #[command(flatten)]
        who: Who,
    },
    /// Forget schemes of password hashes that no user has any more; each one costs every login a derivation
    PruneSchemes {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

fn roles() -> impl Iterator<Item = &'static str> {
    Role::ALL.into_iter().map(Role::as_str)
}

pub(super) fn run(command: Command, target: &Target) -> Result<(), Failure> {
    // While somebody is asked for a password, the store is not held open: a server can start.
    let reach = || Admin::reach(target);
    match command {
        Command::Add { name, email, role, password, password_hash_file, json } => {
            let (member, secret) = match password_hash_file {
                Some(path) => ("password_hash", hashes(&path)?.into()),
                None => ("password", Value::from(password.read(&name)?.as_str())),
            };
            let new = said([("name", Some(name)), ("email", email), ("role", role)]).chain([(member.to_owned(), secret)]);
            let user = reach()?.ask(Method::Post, "/admin/users", Some(&Value::Object(new.collect())))?;
            warn_of_colon(&user);
            if json { say_json(&user) } else { say(&format!("added {} (uid {})", cell(&user, "name"), cell(&user, "uid"))) }
        }
        Command::List { json } => list(&Admin::look(target)?, json),
        Command::Show { who: Who { who }, json } => show(&about(&Admin::look(target)?, Method::Get, &who, "", None)?, json),
        Command::Set { who: Who { who }, name, email, role, json } => {
            let renamed = name.is_some();
            let changes = Value::Object(said([("name", name), ("email", email), ("role", role)]).collect());
            let user = about(&reach()?, Method::Patch, &who, "", Some(&changes))?;
            if renamed {
                warn_of_colon(&user);
            }
            let [name, uid, email, role] = ["name", "uid", "email", "role"].map(|member| cell(&user, member));
            if json {
                say_json(&user)
            } else {
                say(&format!("{name} (uid {uid}) has the role {role} and the address {email}"))
            }
        }
        Command::Passwd { who: Who { who }, add, password } => {
            // Asked first, so that nobody types a password for a user who is not there.
            let user = about(&Admin::look(target)?, Method::Get, &who, "", None)?;
            let body = json!({ "password": password.read(&who)?.as_str() });
            let method = if add { Method::Post } else { Method::Put };
            let set = reach()?.ask(method, &path(&format!("uid:{}", cell(&user, "uid")), "/password"), Some(&body));
            let replace = format!("`waxseal user passwd {}` without --add replaces all of them", word(&who));
            set.map_err(|failure| failure.reworded("remove some first", &replace))?;
            let done = if add { "has one more password" } else { "has a new password; all earlier tokens have ended" };
            say(&format!("{} {done}", cell(&user, "name")))
        }
        Command::Unlock { who: Who { who } } => change(&reach()?, &who, "unlock", "is unlocked"),
        Command::Disable { who: Who { who } } => {
            change(&reach()?, &who, "disable", "is disabled; all earlier tokens have ended")
        }
        Command::Enable { who: Who { who } } => change(&reach()?, &who, "enable", "is enabled"),
        Command::Logout { who: Who { who } } => {
            change(&reach()?, &who, "logout", "is logged out: all earlier tokens have ended")
        }
        Command::Delete { who: Who { who } } => {
            let admin = reach()?;
            let user = about(&admin, Method::Get, &who, "", None)?;
            let uid = cell(&user, "uid");
            admin.ask(Method::Delete, &path(&format!("uid:{uid}"), ""), None)?;
            say(&format!("{} (uid {uid}) is deleted", cell(&user, "name")))
        }
        Command::PruneSchemes { json } => {
            let pruned = reach()?.ask(Method::Post, "/admin/schemes/prune", None)?;
            if json {
                return say_json(&pruned);
            }
            let [dropped, kept] = ["dropped", "kept"].map(|member| schemes(pruned.get(member)).join(", "));
            let dropped = if dropped.is_empty() { "nothing".into() } else { dropped };
            say(&format!("forgotten: {dropped}; still in use: {kept}"))
        }
    }
}

/// The members that were given.
fn said<const N: usize>(members: [(&str, Option<String>); N]) -> impl Iterator<Item = (String, Value)> {
    members.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?.into())))
}

/// The part before the first colon is the name that Basic authentication finds (RFC 7617, 2).
fn warn_of_colon(user: &Value) {
    if cell(user, "name").contains(':') {
        complain(
            "a name with a colon cannot log in with Basic authentication, which `curl -u` uses; an e-mail address can",
        );
    }
}

/// Schemes as the configuration writes them.
pub(super) fn schemes(list: Option<&Value>) -> Vec<String> {
    let shown = |scheme: &Value| match serde_json::from_value(scheme.clone()) {
        Ok(scheme) => show_scheme(scheme),
        Err(_) => plain(&scheme.to_string()),
    };
    list.and_then(Value::as_array).into_iter().flatten().map(shown).collect()
}

fn path(who: &str, rest: &str) -> String {
    format!("/admin/users/{}{rest}", segment(who))
}

/// Asks about a user; says how a name is written that is taken for a uid.
fn about(admin: &Admin, method: Method, who: &str, rest: &str, body: Option<&Value>) -> Result<Value, Failure> {
    admin.ask(method, &path(who, rest), body).map_err(|failure| name_of_digits(who, failure))
}

/// The refusal of a user who is not there, with how a name is written that is taken for a uid.
pub(super) fn name_of_digits(who: &str, failure: Failure) -> Failure {
    let is_uid = who.bytes().all(|octet| octet.is_ascii_digit());
    if is_uid && failure.is("user_not_found") {
        return failure.with(&format!(" with this uid; a name that is a number is written `name:{who}`"));
    }
    failure
}

fn change(admin: &Admin, who: &str, verb: &str, done: &str) -> Result<(), Failure> {
    let user = about(admin, Method::Post, who, &format!("/{verb}"), None)?;
    say(&format!("{} {done}", cell(&user, "name")))
}

fn list(admin: &Admin, json: bool) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut after = Some(0);
    while let Some(uid) = after {
        let page = admin.ask(Method::Get, &format!("/admin/users?after={uid}"), None)?;
        for user in page.get("users").and_then(Value::as_array).into_iter().flatten() {
            if json {
                say_json(user)?;
            } else {
                let columns = ["uid", "name", "role", "email", "passwords", "last_login"].map(|name| cell(user, name));
                let [uid, name, role, email, passwords, last_login] = columns;
                rows.push([uid, name, role, state(user), email, passwords, last_login]);
            }
        }
        after = page.get("next").and_then(Value::as_u64);
    }
    if json {
        return Ok(());
    }
    say(&table(["UID", "NAME", "ROLE", "STATE", "EMAIL", "PASSWORDS", "LAST LOGIN"], &rows))
}

fn show(user: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return say_json(user);
    }
    let rows: Vec<[String; 2]> =
        user.as_object().into_iter().flatten().map(|(name, _)| [name.replace('_', " "), cell(user, name)]).collect();
    say(&rows.iter().map(|[name, value]| format!("{name:<16}{value}").trim_end().to_owned()).collect::<Vec<_>>().join("\n"))
}

fn state(user: &Value) -> String {
    let is = |name: &str| user.get(name).and_then(Value::as_bool) == Some(true);
    match (is("disabled"), is("locked")) {
        (true, _) => "disabled",
        (_, true) => "locked",
        _ => "active",
    }
    .into()
}

fn hashes(path: &Path) -> Result<Vec<String>, Failure> {
    let (name, octets) = if path.as_os_str() == "-" {
        (INPUT.into(), octets_of_input()?)
    } else {
        let name = format!("the hash file `{}`", path.display());
        let octets = octets_of(path, &name)?;
        (name, octets)
    };
    let text = core::str::from_utf8(&octets).map_err(|_| Failure::refused(format_args!("{name} is no text")))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect())
}
