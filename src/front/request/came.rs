//! How a request arrived, only for texts in answers. Decisions use [`super::facts`].

use http::Request;
use http::header::HOST;
use http::uri::Authority;

use super::unlisted::Mark;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct Came {
    /// The port in the request's target or `Host`.
    pub(in crate::front) port: Option<u16>,
    /// What shows that a proxy sent it. Only of a peer that is not trusted it means that
    /// somebody forgot to list it.
    pub(in crate::front) mark: Option<Mark>,
}

impl Came {
    /// Reads it.
    pub(in crate::front) fn read<B>(request: &Request<B>) -> Self {
        let target = request.uri().authority().and_then(Authority::port_u16);
        let host = || {
            let host = request.headers().get(HOST)?.to_str().ok()?;
            host.rsplit_once(':')?.1.parse().ok()
        };
        Self { port: target.or_else(host), mark: Mark::read(request.headers()) }
    }
}
