//! The administration socket: whoever can open it owns the server.

use crate::files::write::open_to_others;
use std::{
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt, FileTypeExt, PermissionsExt},
            net::UnixStream,
        },
    },
    path::{Path, PathBuf},
};

/// The name of the socket in the data directory.
const NAME: &str = "admin.sock";
/// How long a path the system's socket addresses can hold, with room for its end.
const LONGEST_ADDRESS: usize = 100;

/// Where the socket of the server with data in `data` is.
pub fn path(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// Connects to the server that runs on `data`.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` when none runs.
pub fn connect(data: &Path) -> io::Result<UnixStream> {
    let (address, _directory) = address(data)?;
    UnixStream::connect(address)
}

/// Opens the socket with mode 0600 in `data`, which is made if it is missing, and set to mode 0700 if others have rights to it. A
/// socket that a killed server has left is replaced.
pub(crate) fn bind(data: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    if open_to_others(&fs::metadata(data)?) {
        // The socket is open to all between its birth and its own change of mode, so the directory must be closed.
        fs::set_permissions(data, Permissions::from_mode(0o700))?;
    }
    let (address, _directory) = address(data)?;
    match fs::symlink_metadata(path(data)) {
        Ok(known) if !known.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something else than a socket is there; move it away",
            ));
        }
        Ok(_) if UnixStream::connect(&address).is_ok() => return Err(io::ErrorKind::AddrInUse.into()),
        Ok(_) => fs::remove_file(path(data))?,
        Err(_) => {}
    }
    let listener = std::os::unix::net::UnixListener::bind(&address)?;
    fs::set_permissions(path(data), Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A path that fits into a socket address; the directory it may lead through must stay open while it is used.
fn address(data: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let full = path(data);
    if full.as_os_str().len() <= LONGEST_ADDRESS {
        return Ok((full, None));
    }
    let directory = File::open(data)?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{NAME}", directory.as_raw_fd())), Some(directory)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &Path) {
        let listener = bind(data).unwrap();
        assert_eq!(fs::metadata(path(data)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(data).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(connect(data).is_ok());
        assert_eq!(bind(data).unwrap_err().kind(), io::ErrorKind::AddrInUse, "a server is running");
        drop(listener);
        assert_eq!(connect(data).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(bind(data).is_ok(), "a killed server's socket is in nobody's way");
    }

    #[test]
    fn the_socket_is_the_owners() {
        let home = tempfile::tempdir().unwrap();
        check(&home.path().join("data"));
        fs::create_dir(home.path().join("open")).unwrap();
        fs::set_permissions(home.path().join("open"), Permissions::from_mode(0o755)).unwrap();
        check(&home.path().join("open"));
    }

    #[test]
    fn a_long_path_is_no_obstacle() {
        let home = tempfile::tempdir().unwrap();
        check(&home.path().join("x".repeat(120)));
    }

    #[test]
    fn a_file_of_that_name_stays() {
        let home = tempfile::tempdir().unwrap();
        fs::write(path(home.path()), "").unwrap();
        assert_eq!(bind(home.path()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
