//! Starting over with an empty server.

use crate::{Failure, command::root, serve::DATA};
use std::{fs, io::ErrorKind};

/// `cargo xtask clean-data`
pub(crate) fn run() -> Result<(), Failure> {
    let data = root().join(DATA);
    match fs::remove_dir_all(&data) {
        Ok(()) => println!("deleted {}", data.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => println!("there is no {}", data.display()),
        Err(error) => return Err(format!("cannot delete `{}`: {error}", data.display())),
    }
    Ok(())
}
