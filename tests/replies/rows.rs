//! The conformance table: what servers answer, and what it means. Data only.
//!
//! The ids are those of the research this rests on; where a cell of it leaves a choice, several rows share an id.

use refresh_coordinator::protocol::verdict::{Class, Reason, Spent};

/// One row.
pub struct Row {
    pub id: &'static str,
    pub status: u16,
    pub headers: &'static [(&'static str, &'static str)],
    pub body: &'static str,
    pub class: Class,
    pub spent: Spent,
    /// Whether the request proved who the client is; `None`: no matter.
    pub confidential: Option<bool>,
    /// The scope that was asked for.
    pub scope: Option<&'static str>,
    /// The server's wish, where the row has one.
    pub retry_after: Option<i64>,
}

const fn row(id: &'static str, status: u16, body: &'static str, class: Class, spent: Spent) -> Row {
    Row { id, status, headers: &[], body, class, spent, confidential: None, scope: None, retry_after: None }
}

impl Row {
    const fn with(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    const fn retry(mut self, wait: i64) -> Self {
        self.retry_after = Some(wait);
        self
    }

    const fn public(mut self) -> Self {
        self.confidential = Some(false);
        self
    }

    const fn confidential(mut self) -> Self {
        self.confidential = Some(true);
        self
    }

    const fn asking_for(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }
}

const R: Class = Class::Revoked(Reason::Unknown);
const EXPIRED: Class = Class::Revoked(Reason::Expired);
const REUSE: Class = Class::Revoked(Reason::Reuse);
const IDLE: Class = Class::Revoked(Reason::Idle);
const USER: Class = Class::Revoked(Reason::UserAction);
const I: Class = Class::Interaction;
const C: Class = Class::Configuration;
const T: Class = Class::Transient;
const NO: Spent = Spent::No;
const MAYBE: Spent = Spent::Maybe;
const YES: Spent = Spent::Yes;

const HTML: &str = "<!DOCTYPE html><html><head><title>Error</title></head><body>Error</body></html>";

#[rustfmt::skip] // One row, one line.
pub const ROWS: &[Row] = &[
    row("std-1", 400, r#"{"error":"invalid_grant"}"#, R, YES),
    row("std-2", 400, r#"{"error":"invalid_client"}"#, C, NO),
    row("std-2", 401, r#"{"error":"invalid_client"}"#, C, NO),
    row("std-3", 400, r#"{"error":"unauthorized_client"}"#, C, NO),
    row("std-4", 400, r#"{"error":"unsupported_grant_type"}"#, C, NO),
    row("std-5", 400, r#"{"error":"invalid_scope"}"#, C, NO),
    row("std-6", 400, r#"{"error":"invalid_request"}"#, C, NO),
    row("std-7", 400, r#"{"error":"invalid_target"}"#, C, MAYBE),
    row("std-8", 400, r#"{"error":"use_dpop_nonce"}"#, T, NO).with(&[("DPoP-Nonce", "n-1")]).retry(0),
    row("std-10", 429, "", T, NO).with(&[("Retry-After", "7")]).retry(7_000),
    row("std-10", 429, HTML, T, NO).with(&[("Retry-After", "7")]).retry(7_000),
    row("std-10", 429, r#"{"error":"invalid_grant"}"#, T, NO),
    row("std-11", 503, "", T, MAYBE).with(&[("Retry-After", "120")]).retry(120_000),
    row("std-11", 503, r#"{"error":"invalid_grant"}"#, T, MAYBE),
    row("std-11", 503, r#"{"error":"invalid_grant","error_codes":[70008]}"#, T, MAYBE),
    row("std-12", 500, HTML, T, MAYBE),
    row("std-12", 502, HTML, T, MAYBE),
    row("std-12", 504, r#"{"message":"Endpoint request timed out"}"#, T, MAYBE),
    row("std-12", 500, r#"{"error":"server_error"}"#, T, MAYBE),
    row("std-12", 522, HTML, T, MAYBE),
    row("std-13", 408, "", T, MAYBE),
    row("std-13", 425, "", T, MAYBE),
    row("std-13", 425, r#"{"error":"invalid_grant"}"#, T, MAYBE),
    row("std-14", 400, r#"{"error":"server_error"}"#, T, MAYBE),
    row("std-14", 200, r#"{"error":"temporarily_unavailable"}"#, T, MAYBE),
    row("std-14", 400, r#"{"error":"internal_failure"}"#, T, MAYBE),
    row("std-15", 200, r#"{"token_type":"Bearer"}"#, T, MAYBE),
    row("std-15", 200, r#"{}"#, T, MAYBE),
    row("std-17", 200, r#"{"error":"invalid_grant"}"#, R, YES),
    row("std-17", 200, r#"{"error":"invalid_client"}"#, C, NO),
    row("std-17", 200, r#"{"error":"never_heard_of"}"#, T, MAYBE),
    row("std-19", 302, "", C, NO).with(&[("Location", "https://elsewhere.example/token")]),
    row("std-19", 307, r#"{"error":"invalid_grant"}"#, C, NO).with(&[("Location", "https://elsewhere.example/token")]),
    row("std-21", 401, "", R, MAYBE).public(),
    row("std-21", 401, "", C, NO).confidential(),
    row("op-1", 400, r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#, R, YES),
    row("op-2", 401, r#"{"error":"invalid_client","error_description":"client authentication failed"}"#, C, NO).with(&[("WWW-Authenticate", "Basic realm=\"issuer\", error=\"invalid_client\"")]),
    row("no-1", 400, r#"{"error":"invalid_grant","error_description":"Invalid grant: refresh token is invalid"}"#, R, YES),
    row("goog-1", 400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#, R, YES),
    row("goog-3", 400, r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}"#, I, NO),
    row("goog-4", 401, r#"{"error":"invalid_client","error_description":"The OAuth client was not found."}"#, C, NO),
    row("goog-6", 500, r#"{"error":"internal_failure"}"#, T, NO),
    row("goog-6", 503, r#"{"error":"internal_failure"}"#, T, NO),
    row("ms-1", 400, r#"{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to inactivity.","error_codes":[700082]}"#, IDLE, YES),
    row("ms-1", 400, r#"{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to inactivity."}"#, IDLE, YES),
    row("ms-2", 400, r#"{"error":"invalid_grant","error_codes":[70008]}"#, EXPIRED, YES),
    row("ms-2", 400, r#"{"error":"invalid_grant","error_codes":[700084]}"#, EXPIRED, YES),
    row("ms-2", 400, r#"{"error":"invalid_grant","error_codes":[50173]}"#, USER, YES),
    row("ms-3", 400, r#"{"error":"interaction_required","error_codes":[50079],"suberror":"basic_action"}"#, I, NO),
    row("ms-3", 400, r#"{"error":"interaction_required"}"#, I, NO),
    row("ms-3", 400, r#"{"error":"invalid_grant","error_codes":[50076],"suberror":"basic_action"}"#, I, NO),
    row("ms-3", 400, r#"{"error":"invalid_grant","error_codes":[50079],"suberror":"additional_action"}"#, I, NO),
    row("ms-3", 400, r#"{"error":"invalid_grant","suberror":"consent_required"}"#, I, NO),
    row("ms-4", 400, r#"{"error":"invalid_grant","error_codes":[50196]}"#, T, NO).retry(300_000),
    row("ms-5", 429, r#"{"error":"temporarily_unavailable"}"#, T, NO).with(&[("Retry-After", "60")]).retry(60_000),
    row("ms-6", 400, r#"{"error":"invalid_grant","error_codes":[9002313]}"#, C, NO),
    row("ms-7", 400, r#"{"error":"invalid_grant","error_codes":[70000]}"#, C, NO).asking_for("Mail.Read,Mail.Send"),
    row("ms-7", 400, r#"{"error":"invalid_grant","error_codes":[70000]}"#, R, YES).asking_for("Mail.Read Mail.Send"),
    row("ms-9", 400, r#"{"error":"invalid_grant","suberror":"bad_token"}"#, R, YES),
    row("ms-9", 400, r#"{"error":"invalid_grant","suberror":"token_expired"}"#, EXPIRED, YES),
    row("ms-10", 400, r#"{"error":"invalid_grant","suberror":"client_mismatch"}"#, C, NO),
    row("ms-10", 400, r#"{"error":"invalid_grant","additional_info":"client_mismatch"}"#, C, NO),
    row("okta-1", 400, r#"{"error":"invalid_grant","error_description":"The refresh token is invalid or expired."}"#, R, YES),
    row("okta-2", 429, r#"{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests."}"#, T, NO).with(&[("X-Rate-Limit-Reset", "1795000042")]).retry(42_000),
    row("a0-1", 403, r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#, R, YES),
    row("a0-3", 403, r#"{"error":"mfa_required","error_description":"Multifactor authentication required","mfa_token":"Fe26.2x"}"#, I, NO),
    row("cog-1", 400, r#"{"error":"invalid_grant"}"#, R, YES),
    row("cog-2", 400, r#"{"__type":"NotAuthorizedException","message":"Refresh Token has been revoked"}"#, R, YES),
    row("cog-2", 400, r#"{"__type":"NotAuthorizedException","message":"Refresh Token has expired"}"#, EXPIRED, YES),
    row("cog-2", 400, r#"{"__type":"com.amazonaws.cognito#NotAuthorizedException","message":"Invalid Refresh Token."}"#, R, YES),
    row("cog-2", 400, r#"{"message":"Invalid Refresh Token"}"#, R, YES).with(&[("x-amzn-ErrorType", "NotAuthorizedException:")]),
    row("cog-3", 400, r#"{"__type":"RefreshTokenReuseException","message":"Refresh token has been reused"}"#, REUSE, YES),
    row("cog-4", 400, r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#, T, NO),
    row("cog-7", 400, r#"{"__type":"NotAuthorizedException","message":"REFRESH_TOKEN_AUTH is not enabled with refresh token rotation"}"#, C, NO),
    row("gh-1", 200, r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"#, R, YES),
    row("gh-2", 200, r#"{"error":"incorrect_client_credentials"}"#, C, NO),
    row("gh-3", 200, "error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect+or+expired.", R, YES).with(&[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]),
    row("gh-3", 200, "error=incorrect_client_credentials", C, NO),
    row("gh-4", 429, r#"{"message":"You have exceeded a secondary rate limit."}"#, T, NO),
    row("gh-4", 403, r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#, T, NO),
    row("gh-4", 403, "", T, NO).with(&[("Retry-After", "30")]).retry(30_000),
    row("sl-1", 200, r#"{"ok":false,"error":"invalid_refresh_token"}"#, R, YES),
    row("sl-2", 200, r#"{"ok":false,"error":"invalid_client_id"}"#, C, NO),
    row("sl-2", 200, r#"{"ok":false,"error":"bad_client_secret"}"#, C, NO),
    row("sl-2", 200, r#"{"ok":false,"error":"token_rotation_not_enabled"}"#, C, NO),
    row("sl-3", 200, r#"{"ok":false,"error":"internal_error"}"#, T, MAYBE),
    row("sl-3", 200, r#"{"ok":false,"error":"fatal_error"}"#, T, MAYBE),
    row("sl-3", 200, r#"{"ok":false,"error":"accesslimited"}"#, T, MAYBE),
    row("sf-1", 400, r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#, R, YES),
    row("sf-2", 400, r#"{"error":"invalid_grant","error_description":"token request is already being processed"}"#, T, MAYBE),
    row("sf-3", 400, r#"{"error":"invalid_grant","error_description":"inactive user"}"#, I, NO),
    row("kc-1", 400, r#"{"error":"invalid_grant","error_description":"Token is not active"}"#, EXPIRED, YES),
    row("kc-2", 400, r#"{"error":"invalid_grant","error_description":"Session not active"}"#, R, YES),
    row("kc-3", 400, r#"{"error":"invalid_grant","error_description":"Maximum allowed refresh token reuse exceeded"}"#, REUSE, YES),
    row("kc-5", 400, r#"{"error":"invalid_grant","error_description":"Stale token"}"#, REUSE, YES),
    row("sb-1", 400, r#"{"code":"refresh_token_not_found","message":"Invalid Refresh Token: Refresh Token Not Found"}"#, R, YES),
    row("sb-1", 400, r#"{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token: Refresh Token Not Found"}"#, R, YES),
    row("sb-2", 400, r#"{"code":"refresh_token_already_used","message":"Invalid Refresh Token: Already Used"}"#, REUSE, YES),
    row("sb-2", 400, r#"{"error":"invalid_grant","error_description":"Invalid Refresh Token: Already Used"}"#, REUSE, YES),
    row("sb-3", 400, r#"{"code":"session_not_found"}"#, R, YES),
    row("sb-3", 400, r#"{"code":"session_expired"}"#, EXPIRED, YES),
    row("sb-4", 400, r#"{"code":"user_banned","message":"Invalid Refresh Token: User Banned"}"#, I, YES),
    row("sb-5", 409, r#"{"code":"conflict","message":"Too many concurrent token refresh requests on the same session or refresh token"}"#, T, NO),
    row("sb-5", 409, r#"{"code":409,"msg":"Too many concurrent token refresh requests on the same session or refresh token"}"#, T, NO),
    row("sb-6", 429, r#"{"code":"over_request_rate_limit"}"#, T, NO),
    row("dc-2", 429, r#"{"message":"You are being rate limited.","retry_after":0.529,"global":false}"#, T, NO).retry(529),
    row("sp-1", 400, r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#, R, YES),
    row("x-1", 400, r#"{"error":"invalid_request","error_description":"Value passed for the token was invalid."}"#, R, YES),
    row("atl-1", 403, r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#, R, YES),
    row("atl-2", 403, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#, R, YES),
    row("hs-1", 400, r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#, R, YES),
    row("hs-2", 400, r#"{"category":"VALIDATION_ERROR","subCategory":"INVALID_TOKEN","status":"error"}"#, R, YES),
    row("zoho-1", 400, r#"{"error":"Access Denied","error_description":"You have made too many requests continuously. Please try again after some time.","status":"failure"}"#, T, NO),
    row("zoho-2", 200, r#"{"error":"invalid_code"}"#, R, YES),
    row("qb-1", 400, r#"{"error":"invalid_grant","error_description":"Incorrect Token type or clientID"}"#, C, NO),
    row("qb-2", 400, r#"{"error":"invalid_grant","error_description":"Token invalid"}"#, R, YES),
    row("aws-1", 400, r#"{"error":"invalid_grant","error_description":"Invalid refresh token provided"}"#, R, YES).with(&[("x-amzn-ErrorType", "InvalidGrantException:http://internal.example/")]),
    row("aws-1", 400, "", R, YES).with(&[("x-amzn-ErrorType", "InvalidGrantException")]),
    row("al-1", 400, r#"{"error":"invalid_request","error_description":"Invalid \"refresh_token\" in request."}"#, R, YES),
    row("mn-1", 500, r#"{"message":"Internal Server Error"}"#, T, MAYBE),
    row("mn-1", 500, "", T, MAYBE),
    row("mm-1", 401, r#"{"code":401,"message":"unauthorized"}"#, R, YES).public(),
    row("mm-1", 401, r#"{"statusCode":401,"error":"Unauthorized"}"#, R, YES).public(),
    row("mm-1", 401, "Unauthorized", R, YES).public(),
    row("cl-1", 400, r#"{"data":{"reason":"invalid_grant"}}"#, R, YES),
    row("cl-1", 401, "token exchange failed: invalid_grant", R, YES),
    row("cl-1", 400, r#"{"errors":[{"code":"invalid_grant","message":"The grant is invalid"}]}"#, R, YES),
    row("5.2", 400, r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid"}],"success":false}"#, R, YES),
    row("5.2", 400, r#"{"error":{"code":400,"type":"invalid_grant"}}"#, R, YES),
    row("5.2", 404, r#"{"error":"invalid_grant"}"#, R, YES),
    row("5.2", 401, r#"{"error":"invalid_grant"}"#, R, YES).confidential(),
    row("5.2", 403, HTML, T, MAYBE),
    row("5.2", 403, "", T, MAYBE),
    row("5.2", 404, HTML, C, NO),
    row("5.2", 405, "", C, NO),
    row("5.2", 415, r#"{"title":"Unsupported Media Type"}"#, C, NO),
    row("5.2", 418, r#"{"error":"teapot"}"#, T, MAYBE),
    row("twitch", 400, r#"{"error":"Bad Request","status":400,"message":"Invalid refresh token"}"#, R, YES),
];
