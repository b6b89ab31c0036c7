//! What is sent to the authorization server: the refresh (RFC 6749 section 6) and the revocation (RFC 7009).

use std::fmt;

use base64ct::{Base64, Encoding};
use form_urlencoded::{Serializer, byte_serialize};

use crate::protocol::ports::Params;
use crate::protocol::tokens::Secret;

/// How the client proves who it is (RFC 6749 section 2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Not at all: `client_id` in the body only. Also where a function adds the proof (see [`Additions`]).
    Public,
    /// `Authorization: Basic`, from id and secret, each form-urlencoded first.
    Basic {
        /// The client secret.
        secret: Secret,
    },
    /// `client_id` and `client_secret` in the body.
    Post {
        /// The client secret.
        secret: Secret,
    },
}

/// What a custom client authentication adds to one attempt: an assertion (RFC 7523), a DPoP proof (RFC 9449).
#[derive(Clone, Default)]
pub struct Additions {
    /// Header names and values. Replaces a header of that name, but never `Content-Type` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// Form parameters. May set `client_*`, even another `client_id`; never `grant_type`, `refresh_token` and, in a
    /// revocation, `token` and `token_type_hint`.
    pub params: Params,
}

/// A request, ready to be sent by POST.
#[derive(Clone, PartialEq, Eq)]
pub struct FormRequest {
    /// Header names and values. `Authorization` among them is a secret.
    pub headers: Vec<(String, String)>,
    /// The body, `application/x-www-form-urlencoded`.
    pub body: Secret,
    /// Does the request carry anything by which the client proves who it is?
    pub client_authenticated: bool,
    secrets: Vec<Secret>,
}

impl FormRequest {
    /// Everything in it that must not come back in an error message: for the facts a reply is judged by.
    pub fn secrets(&self) -> Vec<&str> {
        self.secrets.iter().map(Secret::expose).collect()
    }
}

/// The request that presents a refresh token. Of `params`, what [`forbidden_param`] names is left out.
pub fn refresh(
    client_id: &str,
    authentication: &ClientAuthentication,
    refresh_token: &Secret,
    params: &Params,
    additions: &Additions,
) -> FormRequest {
    let own = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
    let mut form = Form::begun(&own);
    for (name, value) in params.iter().filter(|(name, _)| !forbidden_param(name)) {
        form.body.append_pair(name, value);
    }
    form.finished(client_id, authentication, refresh_token, additions)
}

/// The request that revokes a refresh token, and with it the grant (RFC 7009 section 2.1).
pub fn revocation(
    client_id: &str,
    authentication: &ClientAuthentication,
    token: &Secret,
    additions: &Additions,
) -> FormRequest {
    let own = [("token", token.expose()), ("token_type_hint", "refresh_token")];
    Form::begun(&own).finished(client_id, authentication, token, additions)
}

/// Is this the name of a parameter that the coordinator itself sets, and nobody else may?
pub fn forbidden_param(name: &str) -> bool {
    matches!(name, "grant_type" | "refresh_token") || name.starts_with("client_")
}

struct Form {
    body: Serializer<'static, String>,
    taken: Vec<String>,
}

impl Form {
    fn begun(own: &[(&str, &str)]) -> Self {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(own);
        let taken = own.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self { body, taken }
    }

    fn finished(
        mut self,
        client_id: &str,
        authentication: &ClientAuthentication,
        token: &Secret,
        additions: &Additions,
    ) -> FormRequest {
        let mut headers = vec![
            ("Accept".to_owned(), "application/json".to_owned()),
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded;charset=UTF-8".to_owned()),
        ];
        let mut secrets = vec![token.clone()];
        let names_itself = additions.params.iter().any(|(name, _)| name == "client_id");
        match authentication {
            ClientAuthentication::Public if names_itself => {}
            ClientAuthentication::Public => drop(self.body.append_pair("client_id", client_id)),
            ClientAuthentication::Basic { secret } => {
                let credentials = basic(client_id, secret);
                headers.push(("Authorization".to_owned(), ["Basic ", &credentials].concat()));
                secrets.extend([secret.clone(), Secret::new(credentials)]);
            }
            ClientAuthentication::Post { secret } => {
                if !names_itself {
                    self.body.append_pair("client_id", client_id);
                }
                self.body.append_pair("client_secret", secret.expose());
                secrets.push(secret.clone());
            }
        }
        let mut client_authenticated = *authentication != ClientAuthentication::Public;
        for (name, value) in additions.params.iter().filter(|(name, _)| !self.taken.contains(name)) {
            self.body.append_pair(name, value);
            if matches!(name.as_str(), "client_assertion" | "client_secret") {
                client_authenticated = true;
                secrets.push(Secret::new(value.clone()));
            }
        }
        for (name, value) in additions.headers.iter().filter(|(name, _)| !describes_body(name)) {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
            if name.eq_ignore_ascii_case("authorization") {
                client_authenticated = true;
            }
            // What an authentication adds as a header is a proof more often than not.
            secrets.push(Secret::new(value.clone()));
        }
        FormRequest { headers, body: Secret::new(self.body.finish()), client_authenticated, secrets }
    }
}

fn describes_body(header: &str) -> bool {
    header.eq_ignore_ascii_case("content-type") || header.eq_ignore_ascii_case("content-length")
}

fn basic(client_id: &str, secret: &Secret) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    Base64::encode_string([encoded(client_id), encoded(secret.expose())].join(":").as_bytes())
}

impl fmt::Debug for FormRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(formatter, "FormRequest", &self.headers)
    }
}

impl fmt::Debug for Additions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(formatter, "Additions", &self.headers)
    }
}

/// Header values are proofs and passwords: only names are shown.
fn write_names(formatter: &mut fmt::Formatter<'_>, type_name: &str, headers: &[(String, String)]) -> fmt::Result {
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    formatter.debug_struct(type_name).field("headers", &names).finish_non_exhaustive()
}
