//! The server binary as a child process.
