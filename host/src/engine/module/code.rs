//! The code of a component, and by what right it is run.

use crate::{files::regular, text::hex};
use core::fmt;
use sha2::{Digest as _, Sha256};
use std::{
    borrow::Cow,
    io::{self, Read},
    path::Path,
};
use wasmtime::{Engine, component::Component};

/// The component of this binary, compiled for its target.
#[cfg(not(feature = "compile"))]
const BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.cwasm"));
#[cfg(feature = "compile")]
const BUILT_IN: &[u8] = super::COMPONENT;

/// The largest file that is read, in octets: twenty times what a component takes.
const LARGEST: u64 = 64 << 20;

/// The code of a component.
///
/// INVARIANT: it came with this binary, or its SHA-256 was stated by the operator, who may have anything run.
#[derive(Clone)]
pub struct Code {
    octets: Cow<'static, [u8]>,
}

/// Why a file's code is not run.
#[derive(Debug)]
pub enum CodeError {
    /// It cannot be read, or is a directory, a pipe or the like.
    Io(io::Error),
    /// It is larger than 64 MiB.
    Large,
    /// It is another file than the one that was named; this is its SHA-256.
    Other([u8; 32]),
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Large => write!(f, "more than {} MiB, which no module takes", LARGEST >> 20),
            Self::Other(sha256) => {
                write!(f, "another file than the one that was named: its SHA-256 is {}", hex::text(sha256))
            }
        }
    }
}

impl core::error::Error for CodeError {}

impl Code {
    /// The component that was built together with this binary.
    pub const fn built_in() -> Self {
        Self { octets: Cow::Borrowed(BUILT_IN) }
    }

    /// The file at `path`, if this is its SHA-256. It is read once, so that it cannot change in between.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn read(path: &Path, sha256: &[u8; 32]) -> Result<Self, CodeError> {
        let file = regular::open(path).map_err(CodeError::Io)?;
        let mut octets = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut octets).map_err(CodeError::Io)?;
        if octets.len() as u64 > LARGEST {
            return Err(CodeError::Large);
        }
        let code = Self { octets: octets.into() };
        let found = code.sha256();
        if found == *sha256 { Ok(code) } else { Err(CodeError::Other(found)) }
    }

    /// What a file of this code holds.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The SHA-256 of [`Code::octets`].
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.octets).into()
    }

    #[cfg(not(feature = "compile"))]
    pub(super) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: machine code is as trustworthy as whoever made it: the build script of this very binary, or somebody whose file the
        // operator has named by its SHA-256, in the configuration that also says which files to read and where to listen. wasmtime
        // compares version, settings and CPU features before it takes it.
        #[expect(unsafe_code, reason = "runs machine code that was made beforehand, as a start has no time to make it")]
        unsafe {
            Component::deserialize(engine, &self.octets)
        }
    }

    #[cfg(feature = "compile")]
    pub(super) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        Component::new(engine, &self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn only_the_file_that_was_named_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("module");
        let named = Code::built_in().sha256();
        assert!(matches!(Code::read(&path, &named), Err(CodeError::Io(_))));
        assert!(matches!(Code::read(home.path(), &named), Err(CodeError::Io(_))));
        fs::write(&path, Code::built_in().octets()).unwrap();
        assert_eq!(Code::read(&path, &named).unwrap().octets(), Code::built_in().octets());
        assert!(matches!(Code::read(&path, &[0; 32]), Err(CodeError::Other(found)) if found == named));
        let mut changed = Code::built_in().octets().to_vec();
        changed[1_000_000] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(matches!(Code::read(&path, &named), Err(CodeError::Other(found)) if found != named));
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(matches!(Code::read(&path, &named), Err(CodeError::Large)));
    }
}
