//! Two thin faces of `waxseal-core`.
