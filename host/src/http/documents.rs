//! The `OpenAPI` documents, for programs that ask the server what it speaks.

use super::page::File;

/// One for each dialect, and one for the routes that are the server's own.
pub(crate) const FILES: &[File] = &[
    File { path: "/openapi/redis.json", content: include_bytes!("../../../docs/openapi/redis.json"), brotli: None },
    File { path: "/openapi/openshift.json", content: include_bytes!("../../../docs/openapi/openshift.json"), brotli: None },
    File {
        path: "/openapi/elasticsearch.json",
        content: include_bytes!("../../../docs/openapi/elasticsearch.json"),
        brotli: None,
    },
    File { path: "/openapi/gateway.json", content: include_bytes!("../../../docs/openapi/gateway.json"), brotli: None },
];
