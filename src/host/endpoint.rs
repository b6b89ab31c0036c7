//! The token endpoint, or the custom `refresh` in its place: presents a token with a hard timeout, and has the reply
//! judged.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::classify::Classify;
use super::clock::HostClock;
use super::custom::{self, Judged};
use super::embedder::Embedder;
use super::errors::cause;
use super::http::{self, Fetch, NoReply, Reply};
use super::journal::Journal;
use super::object::Members;
use super::options::Options;
use super::settle::{Foreign, call, own, property};
use crate::oauth::judge::{judge, judge_revocation};
use crate::oauth::reply::Facts;
use crate::oauth::request::{Additions, FormRequest, refresh, revocation};
use crate::oauth::transport;
use crate::options::{Client, Exchange};
use crate::protocol::ports::{Clock, Params, Presentation};
use crate::protocol::tokens::{Millis, Secret};
use crate::protocol::verdict::{Class, Details, Fault, Reason, Refusal, Spent, Verdict};

const NO_PARAMS: &Params = &Params::new();

/// What the client authentication adds to one attempt.
pub type Prepared = Additions;

/// The endpoint of one coordinator.
pub struct HostEndpoint {
    exchange: Exchange<JsValue>,
    client: Client<JsValue>,
    revocation: Option<String>,
    timeout: Millis,
    classify: Classify,
    fetch: Fetch,
    embedder: Rc<Embedder>,
    clock: Rc<HostClock>,
    /// What the server last wanted to see in a DPoP proof (RFC 9449 section 8).
    dpop_nonce: RefCell<Option<String>>,
}

impl HostEndpoint {
    /// The endpoint that the options describe.
    pub fn new(options: &Options, embedder: &Rc<Embedder>, clock: &Rc<HostClock>, journal: &Rc<Journal>) -> Self {
        let classify = options.classify.clone();
        Self {
            exchange: options.exchange.clone(),
            client: options.client.clone(),
            revocation: options.revocation_endpoint.clone(),
            timeout: options.settings.timeout,
            classify: Classify::new(classify, clock.clone(), journal.clone(), &options.session_key),
            fetch: Fetch::new(embedder.clone(), options.has_fetch),
            embedder: embedder.clone(),
            clock: clock.clone(),
            dpop_nonce: RefCell::default(),
        }
    }

    /// A custom `refresh` may live on cookies; a token endpoint asks for a token.
    pub fn needs_token(&self) -> bool {
        matches!(self.exchange, Exchange::Endpoint(_))
    }

    /// Asks the user's function for what it adds to the attempt.
    pub async fn prepare(&self, attempt: u32) -> Result<Additions, Refusal> {
        match &self.exchange {
            Exchange::Endpoint(url) => self.additions(url, attempt).await,
            Exchange::Custom { .. } => Ok(Additions::default()),
        }
    }

    async fn additions(&self, url: &str, attempt: u32) -> Result<Additions, Refusal> {
        let Some(function) = &self.client.additions else { return Ok(Additions::default()) };
        let nonce = self.dpop_nonce.borrow().as_deref().map_or(JsValue::UNDEFINED, JsValue::from);
        let about = Members::new().set("url", url).set("method", "POST").set("attempt", attempt);
        let about = about.set("dpopNonce", nonce).done();
        let called = call(function, &JsValue::UNDEFINED, &[&about]);
        match self.clock.settle(self.timeout, called).await {
            Ok(answer) if answer.is_undefined() => Ok(Additions::default()),
            Ok(answer) => additions(&answer).ok_or_else(|| {
                unsent(
                    Class::Configuration,
                    "invalid-client-authentication",
                    "`clientAuthentication` must return `{ headers?, params? }`, all values strings",
                )
            }),
            Err(foreign) => {
                let what = "`clientAuthentication` failed";
                let mut refusal = unsent(Class::Transient, "client-authentication-failed", what);
                if let Foreign::Threw(error) = foreign {
                    refusal.details.cause = Some(cause(&error, &self.secrets()));
                }
                Err(refusal)
            }
        }
    }

    /// Presents the token. The request is made before the first suspension.
    pub async fn present(&self, additions: Additions, presentation: Presentation<'_>) -> Verdict {
        let (refusal, reply) = match &self.exchange {
            Exchange::Custom { refresh, .. } => {
                match custom::present(refresh, &self.embedder, &self.clock, self.timeout, &presentation).await {
                    Judged::Granted(granted) => return Verdict::Granted(granted),
                    Judged::Refused(refusal, reply) => (refusal, reply),
                }
            }
            Exchange::Endpoint(url) => {
                let Some(token) = presentation.refresh_token else {
                    // The access token has ended, and there is nothing to get another one with.
                    return Verdict::Refused(Box::new(without_token()));
                };
                let (client, params) = (&self.client, presentation.params);
                let request = refresh(&client.id, &client.authentication, token, params, &additions);
                let reply = self.post(url, &request).await;
                let secrets = request.secrets();
                let facts = self.facts(&request, &secrets, params);
                match reply {
                    Ok(Ok(reply)) => match judge(&reply.parts(), &facts) {
                        Verdict::Granted(granted) => return Verdict::Granted(granted),
                        Verdict::Refused(refusal) => (*refusal, Some(reply)),
                    },
                    Ok(Err(no_reply)) => (without_reply(no_reply, &facts), None),
                    Err(_) => (transport::timed_out(&facts), None),
                }
            }
        };
        Verdict::Refused(Box::new(self.classify.judge(refusal, reply.as_ref()).await))
    }

    /// Revokes a refresh token.
    pub async fn revoke(&self, token: &Secret) -> Result<(), Refusal> {
        let Some(url) = &self.revocation else {
            return Err(unsent(Class::Configuration, "no-revocation-endpoint", "there is no `revocationEndpoint`"));
        };
        let additions = self.additions(url, 1).await?;
        let request = revocation(&self.client.id, &self.client.authentication, token, &additions);
        let reply = self.post(url, &request).await;
        let secrets = request.secrets();
        let facts = self.facts(&request, &secrets, NO_PARAMS);
        match reply {
            Ok(Ok(reply)) => judge_revocation(&reply.parts(), &facts),
            Ok(Err(no_reply)) => Err(without_reply(no_reply, &facts)),
            Err(_) => Err(transport::timed_out(&facts)),
        }
    }

    /// Sends a request, for as long as one attempt may take.
    async fn post(&self, url: &str, request: &FormRequest) -> Result<Result<Reply, NoReply>, Foreign> {
        let reply = self.clock.within(self.timeout, http::post(&self.fetch, url, request)).await;
        if let Ok(Ok(reply)) = &reply
            && let Some(nonce) = reply.header("dpop-nonce")
        {
            self.dpop_nonce.replace(Some(nonce.to_owned()));
        }
        reply
    }

    /// Is there a revocation endpoint?
    pub fn can_revoke(&self) -> bool {
        self.revocation.is_some()
    }

    fn facts<'a>(&self, request: &FormRequest, secrets: &'a [&'a str], params: &'a Params) -> Facts<'a> {
        Facts {
            client_authenticated: request.client_authenticated,
            token_sent: true,
            scope: scope(params),
            secrets,
            received_at: self.clock.wall(),
        }
    }

    /// What of the client must not appear in an error.
    fn secrets(&self) -> Vec<&str> {
        use crate::oauth::request::ClientAuthentication as Authentication;
        match &self.client.authentication {
            Authentication::Public => Vec::new(),
            Authentication::Basic { secret } | Authentication::Post { secret } => vec![secret.expose()],
        }
    }
}

/// The scope that is asked for.
pub fn scope(params: &Params) -> Option<&str> {
    params.iter().find(|(name, _)| name == "scope").map(|(_, value)| value.as_str())
}

/// Why a `fetch` brought no reply.
fn without_reply(no_reply: NoReply, facts: &Facts<'_>) -> Refusal {
    match no_reply {
        NoReply::Unsendable(why) => unsent(Class::Configuration, "invalid-request", why),
        NoReply::NoResponse => transport::lost("what `fetch` returned is not a response", facts),
        NoReply::Failed(Foreign::Threw(error)) => failed(&error, facts),
        NoReply::Failed(_) => unsent(Class::Configuration, "no-fetch", "there is no `fetch` on this host: give one"),
    }
}

/// Judges what `fetch` rejected with. Where a host says why the connection failed, it says so in the cause.
fn failed(error: &JsValue, facts: &Facts<'_>) -> Refusal {
    let read = |of: &JsValue, name: &str| property(of, name).ok().and_then(|member| member.as_string());
    let inner = property(error, "cause").unwrap_or(JsValue::UNDEFINED);
    let either = |name: &str| read(error, name).or_else(|| read(&inner, name));
    let mut refusal = match read(error, "name").as_deref() {
        Some("AbortError") => transport::aborted(facts),
        _ => {
            let text = error.as_string().or_else(|| read(error, "message")).unwrap_or_default();
            transport::failed(either("code").as_deref(), either("syscall").as_deref(), &text, facts)
        }
    };
    refusal.details.cause = Some(cause(error, facts.secrets));
    refusal
}

/// The coordinator was closed before the request was sent.
pub fn closed() -> Refusal {
    unsent(Class::Configuration, "closed", "this coordinator was closed")
}

/// A refusal of our own, before anything was sent.
fn unsent(class: Class, code: &'static str, message: &str) -> Refusal {
    Refusal { class, spent: Spent::No, details: Details::new(Fault::Caller, code, message), retry_after: None }
}

fn without_token() -> Refusal {
    let message = "the session has no refresh token, and its access token has ended";
    unsent(Class::Revoked(Reason::Expired), "", message)
}

/// `{ headers?, params? }`, own members only.
fn additions(answer: &JsValue) -> Option<Additions> {
    if !answer.is_object() {
        return None;
    }
    let list = |name| match own(answer, name).ok()? {
        None => Some(Vec::new()),
        Some(members) => super::tokens::members(&members)?
            .into_iter()
            .map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect(),
    };
    Some(Additions { headers: list("headers")?, params: list("params")? })
}
