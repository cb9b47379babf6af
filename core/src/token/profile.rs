//! What a verifier expects of a token.

/// `typ` of the tokens that stand for a login. The one kind that may also leave `typ` out.
pub const ACCESS: &str = "JWT";

/// The largest leeway in seconds; more is taken as this (security T9).
pub const MAX_LEEWAY: u32 = 60;

/// What a verifier expects of a token besides a good signature.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// `iss`, compared octet for octet.
    pub issuer: &'a str,
    /// What `aud` must contain. With `None` a token that names an audience is meant for somebody else (RFC 7519, 4.1.3).
    pub audience: Option<&'a str>,
    /// Seconds by which `exp`, `nbf` and `iat` may be off; at most [`MAX_LEEWAY`].
    pub leeway: u32,
    /// `typ`, compared octet for octet. A token without `typ` passes as [`ACCESS`] only, so that no kind stands for another.
    pub typ: &'a str,
}
