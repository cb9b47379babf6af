//! The dialects by the names that tokens carry, and that the audit trail, metrics and `X-Auth-Dialect` say.

/// Of Redis Enterprise.
pub(crate) const REDIS: &str = "redis";
/// Of OpenShift. Its tokens are found by their digest and carry no name.
pub(crate) const OPENSHIFT: &str = "openshift";
/// Of Elasticsearch, whose tokens come in pairs.
pub(crate) const ELASTICSEARCH: &str = "elasticsearch";
