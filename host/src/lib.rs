//! The native server of Waxseal.
