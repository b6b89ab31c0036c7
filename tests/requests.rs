//! The requests to the authorization server, byte for byte.

use refresh_coordinator::oauth::request::{
    Additions, ClientAuthentication, FormRequest, forbidden_param, refresh, revocation,
};
use refresh_coordinator::protocol::tokens::Secret;

fn presented(authentication: ClientAuthentication, params: &[(&str, &str)], additions: Additions) -> FormRequest {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    refresh("web app", &authentication, &Secret::new("R&0="), &params, &additions)
}

fn header<'a>(request: &'a FormRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_public_client_names_itself_in_the_body() {
    let request = presented(ClientAuthentication::Public, &[], Additions::default());
    assert_eq!(request.body.expose(), "grant_type=refresh_token&refresh_token=R%260%3D&client_id=web+app");
    assert_eq!(header(&request, "Accept"), Some("application/json"));
    assert_eq!(header(&request, "Authorization"), None);
    assert!(!request.client_authenticated);
}

#[test]
fn basic_encodes_id_and_secret_before_base64() {
    let secret = Secret::new("p:ä+s");
    let request = presented(ClientAuthentication::Basic { secret }, &[], Additions::default());
    assert_eq!(header(&request, "Authorization"), Some("Basic d2ViK2FwcDpwJTNBJUMzJUE0JTJCcw=="));
    assert_eq!(request.body.expose(), "grant_type=refresh_token&refresh_token=R%260%3D");
    assert!(request.client_authenticated);
    assert!(request.secrets().contains(&"p:ä+s") && request.secrets().contains(&"R&0="));
}

#[test]
fn post_puts_both_into_the_body() {
    let secret = Secret::new("s&s");
    let request = presented(ClientAuthentication::Post { secret }, &[("scope", "a b")], Additions::default());
    let expected = "grant_type=refresh_token&refresh_token=R%260%3D&scope=a+b&client_id=web+app&client_secret=s%26s";
    assert_eq!(request.body.expose(), expected);
}

#[test]
fn params_may_repeat_and_may_not_take_over() {
    let params = [
        ("resource", "https://a"),
        ("resource", "https://b"),
        ("grant_type", "password"),
        ("refresh_token", "other"),
        ("client_id", "other"),
        ("client_secret", "other"),
        ("client_assertion", "other"),
    ];
    let request = presented(ClientAuthentication::Public, &params, Additions::default());
    let expected = "grant_type=refresh_token&refresh_token=R%260%3D&resource=https%3A%2F%2Fa\
                    &resource=https%3A%2F%2Fb&client_id=web+app";
    assert_eq!(request.body.expose(), expected);
    assert!(params.iter().skip(2).all(|(name, _)| forbidden_param(name)));
    assert!(!["scope", "resource", "audience", "token", "clientele", ""].into_iter().any(forbidden_param));
}

#[test]
fn a_function_may_add_its_proof() {
    let additions = Additions {
        headers: pairs(&[("DPoP", "proof"), ("accept", "*/*"), ("content-type", "text/plain")]),
        params: pairs(&[("client_assertion", "signed"), ("client_id", "mine"), ("refresh_token", "other")]),
    };
    let request = presented(ClientAuthentication::Public, &[], additions);
    let expected = "grant_type=refresh_token&refresh_token=R%260%3D&client_assertion=signed&client_id=mine";
    assert_eq!(request.body.expose(), expected);
    assert_eq!(header(&request, "DPoP"), Some("proof"));
    assert_eq!(request.headers.len(), 3, "one Accept, the own Content-Type, DPoP");
    assert!(request.client_authenticated);
    assert_eq!(request.secrets(), ["R&0=", "signed", "proof", "*/*"]);
}

#[test]
fn a_proof_without_a_name_leaves_the_name_to_us() {
    let proof = || Additions { headers: Vec::new(), params: pairs(&[("client_assertion", "signed")]) };
    let request = presented(ClientAuthentication::Public, &[], proof());
    let expected = "grant_type=refresh_token&refresh_token=R%260%3D&client_id=web+app&client_assertion=signed";
    assert_eq!(request.body.expose(), expected);
}

#[test]
fn a_revocation_says_what_kind_of_token_it_is() {
    let request = revocation("web", &ClientAuthentication::Public, &Secret::new("R1"), &Additions::default());
    assert_eq!(request.body.expose(), "token=R1&token_type_hint=refresh_token&client_id=web");
}

#[test]
fn a_request_is_not_printed() {
    let secret = Secret::new("hush-hush-hush");
    let request = presented(ClientAuthentication::Basic { secret }, &[], Additions::default());
    assert_eq!(format!("{request:?}"), r#"FormRequest { headers: ["Accept", "Content-Type", "Authorization"], .. }"#);
    let additions =
        Additions { headers: pairs(&[("DPoP", "proof")]), params: pairs(&[("client_assertion", "signed")]) };
    assert_eq!(format!("{additions:?}"), r#"Additions { headers: ["DPoP"], .. }"#);
}
