//! What is stored: keys, encodings, versions.
