//! What every dialect builds on: users, logins, tokens, throttling.
