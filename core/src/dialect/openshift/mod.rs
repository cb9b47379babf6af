//! The OpenShift v2 broker dialect: `/broker/rest/…` (contract/openshift.md).
//!
//! Order of checks (contract section 9): UTF-8, `nolinks`, version, credentials, scope, then the parameters.

mod authorizations;
mod caller;
mod envelope;
mod huge;
mod links;
mod multipart;
mod negotiate;
mod parameters;
mod root;
mod scopes;
mod ssh_keys;
#[cfg(test)]
mod tests;
mod xml;

use crate::{
    dialect::form::{self, BadForm},
    engine, hex,
    refusal::Refusal,
    seam::{Method, Op, Request, Response, Stop, Unread},
};
use alloc::{format, string::String};
use caller::Caller;
use envelope::{Message, Reply};
use negotiate::Negotiated;
use parameters::{Flaw, Parameters};

/// Answers a request of this dialect.
pub(super) fn answer(op: &Op<'_>) -> Result<Response, Stop> {
    let (path, suffix) = split(op.request);
    let parameters = Parameters::read(op);
    let exchange = Exchange { op, agreed: Negotiated::of(op, suffix, &parameters)? };
    let resource = match path.strip_prefix("/broker/rest/").map(Resource::of) {
        Some(Ok(Some(resource))) => resource,
        Some(Err(_)) => return Err(exchange.refuse(400, Message::unnumbered("the path is malformed"))),
        Some(Ok(None)) | None => {
            return Err(exchange.refuse(404, Message::unnumbered("there is nothing at this path")));
        }
    };
    let Some(verb) = resource.verb(&op.request.method) else {
        let reply = Reply::failed(405, Message::unnumbered("this path does not take this method"));
        return Ok(exchange.send(reply).with_header("allow", resource.methods()));
    };
    if let Resource::Api = resource {
        return parameters.check(&exchange).map(|()| exchange.send(root::api(&exchange)));
    }
    let caller = caller::caller(&exchange)?;
    let mut request = Authenticated { exchange, caller, parameters };
    match request.answer(resource, verb) {
        Ok(reply) => Ok(caller::identify(request.exchange.send(reply), &request.caller)),
        Err(Stop::Answer(response)) => Err(Stop::answer(caller::identify(*response, &request.caller))),
        Err(stop) => Err(stop),
    }
}

/// The path and the format that stands behind it, without a slash at the end, which some clients write. The slash stays where something
/// is changed or ended: with the name of one thing left out, the path would otherwise be that of all.
fn split(request: &Request) -> (&str, Option<negotiate::Format>) {
    let path = request.path.as_str();
    negotiate::split_suffix(match request.method {
        Method::Get | Method::Head | Method::Post => path.strip_suffix('/').unwrap_or(path),
        _ => path,
    })
}

/// Whether `request` is answered without asking who sends it, whatever credentials it carries.
pub(super) fn is_for_everybody(request: &Request) -> bool {
    let (path, _) = split(request);
    matches!(path.strip_prefix("/broker/rest/").map(Resource::of), Some(Ok(Some(Resource::Api))))
}

/// What a path below `/broker/rest/` names.
enum Resource {
    Api,
    User,
    Authorizations,
    /// By its id or its token.
    Authorization(String),
    Keys,
    /// By its name.
    Key(String),
    Domains,
    Cartridges,
}

/// What is to be done with it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Resource {
    /// `None` for a path that names nothing.
    ///
    /// # Errors
    /// When the id in the path is wrongly encoded.
    fn of(path: &str) -> Result<Option<Self>, BadForm> {
        let mut segments = path.split('/');
        let resource = match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("api"), None, ..) => Self::Api,
            (Some("user"), None, ..) => Self::User,
            (Some("user"), Some("authorizations"), None, _) => Self::Authorizations,
            // Replies link the singular path, the printed guide names the plural one.
            (Some("user"), Some("authorization" | "authorizations"), Some(id), None) if !id.is_empty() => {
                Self::Authorization(form::segment(id)?)
            }
            (Some("user"), Some("keys"), None, _) => Self::Keys,
            (Some("user"), Some("keys"), Some(name), None) if !name.is_empty() => Self::Key(form::segment(name)?),
            (Some("domains"), None, ..) => Self::Domains,
            (Some("cartridges"), None, ..) => Self::Cartridges,
            _ => return Ok(None),
        };
        Ok(Some(resource))
    }

    /// The methods it takes, for `Allow`.
    const fn methods(&self) -> &'static str {
        match self {
            Self::Api | Self::Domains | Self::Cartridges => "GET, HEAD",
            Self::User => "GET, HEAD, DELETE",
            Self::Authorizations => "GET, HEAD, POST, DELETE",
            Self::Keys => "GET, HEAD, POST",
            Self::Authorization(_) | Self::Key(_) => "GET, HEAD, PUT, DELETE",
        }
    }

    /// What the method means here; `None` if it is not taken.
    fn verb(&self, method: &Method) -> Option<Verb> {
        self.methods().split(", ").find(|known| *known == method.as_str())?;
        match method {
            Method::Get | Method::Head => Some(Verb::Get),
            Method::Post => Some(Verb::Post),
            Method::Put => Some(Verb::Put),
            Method::Delete => Some(Verb::Delete),
            _ => None,
        }
    }

    const fn kind(&self) -> caller::Area {
        match self {
            Self::Authorizations | Self::Authorization(_) => caller::Area::Authorizations,
            Self::User => caller::Area::Account,
            Self::Api | Self::Keys | Self::Key(_) | Self::Domains | Self::Cartridges => caller::Area::Other,
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
        Stop::answer(self.send(Reply::failed(status, message)))
    }
}

/// A request whose caller is known.
struct Authenticated<'o> {
    exchange: Exchange<'o>,
    caller: Caller,
    parameters: Parameters,
}

impl Authenticated<'_> {
    /// Scope first, then the parameters, then whatever is asked.
    fn answer(&mut self, mut resource: Resource, verb: Verb) -> Result<Reply, Stop> {
        if !self.caller.may(verb == Verb::Get, resource.kind()) {
            let text = "this action is not allowed with your current authorization";
            return Err(self.exchange.refuse(403, Message::error(1, None, text)));
        }
        self.parameters.check(&self.exchange)?;
        if let Resource::Key(name) = &mut resource {
            ssh_keys::complete(self, name)?;
        }
        match (&resource, verb) {
            (Resource::User, Verb::Delete) => {
                let text = "only accounts that belong to another account can be deleted here";
                Err(self.exchange.refuse(403, Message::error(138, None, text)))
            }
            (Resource::User, _) => Ok(root::user(self)),
            (Resource::Authorizations, Verb::Post) => authorizations::add(self),
            (Resource::Authorizations, Verb::Delete) => authorizations::delete_all(self),
            (Resource::Authorizations, _) => authorizations::list(self),
            (Resource::Authorization(id), Verb::Put) => authorizations::update(self, id),
            (Resource::Authorization(id), Verb::Delete) => authorizations::delete(self, id),
            (Resource::Authorization(id), _) => authorizations::show(self, id),
            (Resource::Keys, Verb::Post) => ssh_keys::add(self),
            (Resource::Keys, _) => ssh_keys::list(self),
            (Resource::Key(name), Verb::Put) => ssh_keys::update(self, name),
            (Resource::Key(name), Verb::Delete) => ssh_keys::delete(self, name),
            (Resource::Key(name), _) => ssh_keys::show(self, name),
            (Resource::Domains, _) => Ok(Reply::none_of("domains", "List domains")),
            (Resource::Cartridges, _) => Ok(Reply::none_of("cartridges", "List cartridges")),
            (Resource::Api, _) => Ok(root::api(&self.exchange)),
        }
    }
}

impl Parameters {
    /// # Errors
    /// 400 when they cannot be read, 415 when nothing is known about the body's media type.
    fn check(&self, exchange: &Exchange<'_>) -> Result<(), Stop> {
        match self.flaw() {
            None => Ok(()),
            Some(Flaw::UnknownType) => {
                let text = "the body must be application/json, application/x-www-form-urlencoded or multipart/form-data";
                Err(exchange.refuse(415, Message::unnumbered(text)))
            }
            Some(_) => Err(exchange.refuse(400, Message::unnumbered("the parameters are malformed"))),
        }
    }
}

/// Words that the body could not be read.
pub(super) fn unread(op: &Op<'_>, why: Unread) -> Response {
    let reply = Reply::failed(why.status(), Message::unnumbered(why.text()));
    envelope::render(agreed_or_usual(op), reply)
}

/// What the request asks for, or when that cannot be had the format that it asks for in the usual version.
fn agreed_or_usual(op: &Op<'_>) -> Negotiated {
    let (_, suffix) = split(op.request);
    Negotiated::of(op, suffix, &Parameters::read(op)).unwrap_or_else(|_| Negotiated::usual(op, suffix))
}

/// Words a refusal of the engine. Whoever fails to authenticate gets a short text, as from the broker's web server; a failure of the
/// server itself comes in the envelope, with a reference that the audit trail has too.
pub(super) fn refuse(op: &Op<'_>, refusal: &Refusal) -> Response {
    let Some(retry_after) = refusal.retry_after() else { return caller::refuse(refusal) };
    let agreed = agreed_or_usual(op);
    let send = |status, text: &str| Exchange { op, agreed }.send(Reply::failed(status, Message::error(1, None, text)));
    if matches!(refusal, Refusal::Unavailable { .. }) {
        return send(503, "the server cannot answer this now").with_header("retry-after", format!("{retry_after}"));
    }
    let reference = op.moment.draw::<8>("reference").map_or_else(|_| "none".into(), |octets| hex::encode(&octets));
    engine::audit_refused(op, "failure", &"waxseal", &reference, refusal.code());
    let text = format!("the server cannot answer this; reference {reference}");
    send(500, &text)
}
