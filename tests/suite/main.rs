//! The one binary of integration tests.

mod vectors_password;
