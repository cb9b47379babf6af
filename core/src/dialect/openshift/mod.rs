//! The OpenShift v2 broker dialect: `/broker/rest/…` (contract/openshift.md).
//!
//! Order of checks (contract section 9): UTF-8, `nolinks`, version, credentials, scope, then the parameters.

mod authorizations;
mod caller;
mod envelope;
mod keys;
mod links;
mod multipart;
mod negotiate;
mod parameters;
mod root;
mod scopes;
#[cfg(test)]
mod tests;
mod xml;

use crate::{
    refusal::Refusal,
    seam::{Method, Op, Response, Stop},
};
use caller::Caller;
use envelope::{Message, Reply};
use negotiate::Negotiated;
use parameters::Parameters;

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let (path, suffix) = negotiate::split_suffix(&op.request.path);
    let Some(resource) = path.strip_prefix("/broker/rest/").and_then(Resource::of) else {
        return Ok(Response::empty(404));
    };
    let parameters = Parameters::read(op);
    let agreed = Negotiated::of(op, suffix, parameters.as_ref().ok())?;
    let exchange = Exchange { op, agreed };
    if let (Resource::Api, Method::Get | Method::Head) = (resource, &op.request.method) {
        return Ok(root::api(&exchange));
    }
    let caller = caller::caller(&exchange)?;
    let get = matches!(op.request.method, Method::Get | Method::Head);
    if !caller.may(get, resource.kind()) {
        return Err(
            exchange.refuse(403, Message::error(1, None, "this action is not allowed with your current authorization"))
        );
    }
    let Ok(parameters) = parameters else {
        return Err(exchange.refuse(400, Message::unnumbered("the request body is malformed")));
    };
    let request = Request { exchange, caller, parameters };
    let reply = match (resource, &op.request.method) {
        (Resource::User, Method::Get | Method::Head) => Ok(root::user(&request)),
        (Resource::User, Method::Delete) => Err(request
            .exchange
            .refuse(403, Message::error(138, None, "only accounts that belong to another account can be deleted here"))),
        (Resource::Authorizations, Method::Get | Method::Head) => authorizations::list(&request),
        (Resource::Authorizations, Method::Post) => authorizations::add(&request),
        (Resource::Authorizations, Method::Delete) => authorizations::delete_all(&request),
        (Resource::Authorization(id), Method::Get | Method::Head) => authorizations::show(&request, id),
        (Resource::Authorization(id), Method::Put) => authorizations::update(&request, id),
        (Resource::Authorization(id), Method::Delete) => authorizations::delete(&request, id),
        (Resource::Keys, Method::Get | Method::Head) => keys::list(&request),
        (Resource::Keys, Method::Post) => keys::add(&request),
        (Resource::Key(name), Method::Get | Method::Head) => keys::show(&request, name),
        (Resource::Key(name), Method::Put) => keys::update(&request, name),
        (Resource::Key(name), Method::Delete) => keys::delete(&request, name),
        (Resource::Domains, Method::Get | Method::Head) => Ok(Reply::none_of("domains", "List domains")),
        (Resource::Cartridges, Method::Get | Method::Head) => Ok(Reply::none_of("cartridges", "List cartridges")),
        _ => return Ok(Response::empty(404)),
    }?;
    Ok(caller::identify(request.exchange.send(reply), &request.caller))
}

/// What a path below `/broker/rest/` names.
#[derive(Clone, Copy)]
enum Resource<'a> {
    Api,
    User,
    Authorizations,
    Authorization(&'a str),
    Keys,
    Key(&'a str),
    Domains,
    Cartridges,
}

impl<'a> Resource<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let mut segments = path.split('/');
        let resource = match (segments.next()?, segments.next(), segments.next()) {
            ("api", None, _) => Self::Api,
            ("user", None, _) => Self::User,
            ("user", Some("authorizations"), None) => Self::Authorizations,
            // Replies link the singular path, the printed guide names the plural one.
            ("user", Some("authorization" | "authorizations"), Some(id)) if !id.is_empty() => Self::Authorization(id),
            ("user", Some("keys"), None) => Self::Keys,
            ("user", Some("keys"), Some(name)) if !name.is_empty() => Self::Key(name),
            ("domains", None, _) => Self::Domains,
            ("cartridges", None, _) => Self::Cartridges,
            _ => return None,
        };
        segments.next().is_none().then_some(resource)
    }

    const fn kind(self) -> caller::Kind {
        match self {
            Self::Authorizations | Self::Authorization(_) => caller::Kind::Authorizations,
            Self::User => caller::Kind::Account,
            Self::Api | Self::Keys | Self::Key(_) | Self::Domains | Self::Cartridges => caller::Kind::Other,
        }
    }
}

/// A request whose version and format are settled, so that everything can be answered in the envelope.
struct Exchange<'o> {
    op: &'o Op<'o>,
    agreed: Negotiated,
}

impl Exchange<'_> {
    /// The answer to send.
    fn send(&self, reply: Reply) -> Response {
        envelope::render(self.agreed, reply)
    }

    /// An end with an error in the envelope.
    fn refuse(&self, status: u16, message: Message) -> Stop {
        Stop::Answer(self.send(Reply::failed(status, message)))
    }
}

/// A request whose caller may do what it asks.
struct Request<'o> {
    exchange: Exchange<'o>,
    caller: Caller,
    parameters: Parameters,
}

/// Words a refusal of the engine: a short text outside the envelope, as the broker's web server does for authentication.
pub(super) fn refuse(_op: &Op<'_>, refusal: &Refusal) -> Response {
    caller::refuse(refusal)
}
