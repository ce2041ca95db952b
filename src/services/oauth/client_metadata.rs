//! What a client says of itself when it registers (RFC 7591 section 2, OpenID Connect Dynamic Client Registration section
//! 2), read member by member. `null` stands for nothing (RFC 7592 section 2.2); what is not named here is ignored.

use serde_json::{Map, Value};

use super::error::{ErrorCode, Invalid};
use crate::crypto::client_keys::{ClientKeys, ClientKeysError};
use crate::crypto::public_key::PublicKeyError;
use crate::domain::app::{App, DEFAULT_ACCESS_TOKEN_ALG, DEFAULT_ID_TOKEN_ALG, Inconsistent, is_homepage, is_name};
use crate::domain::auth_method::AuthMethod;
use crate::domain::grant_type::GrantType;
use crate::domain::redirect_uri::{RedirectUri, RedirectUriError};
use crate::domain::return_url::{ReturnUrl, ReturnUrlError};
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::signing_algorithm::SigningAlgorithm;

/// Most redirect URIs, and most addresses after a logout, of one client.
pub const MAX_URIS: usize = 20;

/// Good in itself; [`App::check`] tells whether the parts go together.
pub struct ClientMetadata {
    pub client_name: Option<String>,
    pub client_uri: Option<String>,
    pub auth_method: AuthMethod,
    pub grant_types: Vec<GrantType>,
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_redirect_uris: Vec<ReturnUrl>,
    pub scopes: ScopeSet,
    pub jwks: Option<String>,
    pub access_token_alg: SigningAlgorithm,
    pub id_token_alg: SigningAlgorithm,
    pub requires_dpop: bool,
    pub requires_par: bool,
}

impl From<Inconsistent> for Invalid {
    fn from(why: Inconsistent) -> Self {
        refused(match why {
            Inconsistent::PublicWithClientCredentials => {
                "The grant client_credentials is for clients that authenticate."
            }
            Inconsistent::NoKeys => "private_key_jwt needs the public keys of the client in jwks.",
        })
    }
}

const fn refused(description: &'static str) -> Invalid {
    Invalid::new(ErrorCode::InvalidClientMetadata, description)
}

const fn refused_uri(description: &'static str) -> Invalid {
    Invalid::new(ErrorCode::InvalidRedirectUri, description)
}

/// One member by its name and JSON type; a wrong type is refused by name.
macro_rules! member {
    ($members:expr, $name:literal, string) => {
        member($members, $name, |value| value.as_str().map(str::to_owned), concat!($name, " has to be a string."))
    };
    ($members:expr, $name:literal, strings) => {
        member($members, $name, strings, concat!($name, " has to be a list of strings."))
    };
    ($members:expr, $name:literal, boolean) => {
        member($members, $name, Value::as_bool, concat!($name, " has to be true or false."))
    };
}

fn member<T>(
    members: &Map<String, Value>,
    name: &str,
    convert: impl FnOnce(&Value) -> Option<T>,
    wrong: &'static str,
) -> Result<Option<T>, Invalid> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => convert(value).map(Some).ok_or(refused(wrong)),
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

impl ClientMetadata {
    /// `password_grant`: whether the server has that grant at all.
    pub fn read(members: &Map<String, Value>, password_grant: bool) -> Result<Self, Invalid> {
        let grant_types = grant_types(members, password_grant)?;
        let redirect_uris = redirect_uris(members)?;
        if grant_types.contains(&GrantType::AuthorizationCode) && redirect_uris.is_empty() {
            return Err(refused_uri("The grant authorization_code needs one of redirect_uris at least."));
        }
        check_response_types(members, grant_types.contains(&GrantType::AuthorizationCode))?;
        check_application_type(members, &redirect_uris)?;
        Ok(Self {
            client_name: client_name(members)?,
            client_uri: client_uri(members)?,
            auth_method: auth_method(members)?,
            grant_types,
            redirect_uris,
            post_logout_redirect_uris: post_logout_redirect_uris(members)?,
            scopes: scopes(members)?,
            jwks: jwks(members)?,
            access_token_alg: algorithm(member!(members, "access_token_signing_alg", string)?)?
                .unwrap_or(DEFAULT_ACCESS_TOKEN_ALG),
            id_token_alg: algorithm(member!(members, "id_token_signed_response_alg", string)?)?
                .unwrap_or(DEFAULT_ID_TOKEN_ALG),
            requires_dpop: member!(members, "dpop_bound_access_tokens", boolean)?.unwrap_or(false),
            requires_par: member!(members, "require_pushed_authorization_requests", boolean)?.unwrap_or(false),
        })
    }

    /// The application as this describes it, in place of all that was said before. Owner, publisher and resources are
    /// not the client's to say.
    pub fn describe(self, app: App) -> App {
        App {
            name: self.client_name.unwrap_or_else(|| app.id.to_string()),
            homepage: self.client_uri,
            auth_method: self.auth_method,
            grant_types: self.grant_types,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            scopes: self.scopes,
            jwks: self.jwks,
            access_token_alg: self.access_token_alg,
            id_token_alg: self.id_token_alg,
            requires_dpop: self.requires_dpop,
            requires_par: self.requires_par,
            ..app
        }
    }
}

fn client_name(members: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    let name = member!(members, "client_name", string)?;
    match name {
        Some(name) if !is_name(&name) => Err(refused("client_name is empty, too long, or not visible.")),
        name => Ok(name),
    }
}

fn client_uri(members: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    let uri = member!(members, "client_uri", string)?;
    match uri {
        Some(uri) if !is_homepage(&uri) => Err(refused("client_uri has to be an http or https address.")),
        uri => Ok(uri),
    }
}

fn auth_method(members: &Map<String, Value>) -> Result<AuthMethod, Invalid> {
    let Some(name) = member!(members, "token_endpoint_auth_method", string)? else {
        return Ok(AuthMethod::ClientSecretBasic);
    };
    AuthMethod::parse(&name).map_err(|_| refused("This server has no such token_endpoint_auth_method."))
}

fn grant_types(members: &Map<String, Value>, password_grant: bool) -> Result<Vec<GrantType>, Invalid> {
    let Some(names) = member!(members, "grant_types", strings)? else {
        return Ok(vec![GrantType::AuthorizationCode]);
    };
    let mut grants = Vec::new();
    for name in names {
        let grant = GrantType::parse(&name).map_err(|_| refused("grant_types has one that this server has not."))?;
        if grant == GrantType::Password && !password_grant {
            return Err(refused("The grant password is not to be had at this server."));
        }
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    if grants.is_empty() { Err(refused("grant_types is empty.")) } else { Ok(grants) }
}

/// Which response types there are follows from the grants (RFC 7591 section 2.1).
fn check_response_types(members: &Map<String, Value>, has_code: bool) -> Result<(), Invalid> {
    match member!(members, "response_types", strings)?.as_deref() {
        None => Ok(()),
        Some([code]) if has_code && code == "code" => Ok(()),
        Some([]) if !has_code => Ok(()),
        Some(_) if has_code => Err(refused("response_types has to be code alone.")),
        Some(_) => Err(refused("response_types has to be empty without the grant authorization_code.")),
    }
}

/// A page of the web has an address of the web; where a native application listens is its own affair.
fn check_application_type(members: &Map<String, Value>, redirect_uris: &[RedirectUri]) -> Result<(), Invalid> {
    match member!(members, "application_type", string)?.as_deref() {
        None | Some("native") => Ok(()),
        Some("web") if redirect_uris.iter().all(|uri| uri.origin().is_some()) => Ok(()),
        Some("web") => Err(refused_uri("A private-use scheme is for the application_type native.")),
        Some(_) => Err(refused("application_type is web or native.")),
    }
}

fn redirect_uris(members: &Map<String, Value>) -> Result<Vec<RedirectUri>, Invalid> {
    let uris = member!(members, "redirect_uris", strings).map_err(|why| refused_uri(why.description))?;
    each(uris, refused_uri("redirect_uris has too many."), |uri| {
        RedirectUri::parse(uri).map_err(|why| match why {
            RedirectUriError::Scheme => refused_uri(
                "A redirect URI has to be https, http on a loopback host, or of a private-use scheme with a dot in it.",
            ),
            RedirectUriError::Address(why) => refused_uri(fault_of(&why)),
        })
    })
}

fn post_logout_redirect_uris(members: &Map<String, Value>) -> Result<Vec<ReturnUrl>, Invalid> {
    let uris = member!(members, "post_logout_redirect_uris", strings)?;
    each(uris, refused("post_logout_redirect_uris has too many."), |uri| {
        ReturnUrl::parse(uri).map_err(|why| refused(fault_of(&why)))
    })
}

/// Each once, in the order in which they came.
fn each<T: PartialEq>(
    texts: Option<Vec<String>>,
    too_many: Invalid,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let texts = texts.unwrap_or_default();
    if texts.len() > MAX_URIS {
        return Err(too_many);
    }
    let mut values = Vec::new();
    for text in texts {
        let value = parse(&text)?;
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

fn fault_of(why: &ReturnUrlError) -> &'static str {
    match why {
        ReturnUrlError::TooLong => "A URI is too long.",
        ReturnUrlError::NotAbsolute => "A URI is not absolute.",
        ReturnUrlError::Fragment => "A URI has a fragment.",
        ReturnUrlError::Credentials => "A URI has a user name or password in it.",
        ReturnUrlError::Wildcard => "A URI has a wildcard in its host.",
        ReturnUrlError::NotHttps => "A URI is neither https, nor http on a loopback host.",
        ReturnUrlError::NotNormal(_) => "A URI is not written as browsers write it.",
        ReturnUrlError::ReservedParameter(_) => "The query of a URI has a parameter that the response uses.",
    }
}

/// An empty text says as little as none. What is about the user's identity may be asked for by any client.
fn scopes(members: &Map<String, Value>) -> Result<ScopeSet, Invalid> {
    match member!(members, "scope", string)?.filter(|scope| !scope.is_empty()) {
        None => Ok(Scope::ALL.into_iter().filter(|scope| scope.is_api()).collect()),
        Some(scope) => ScopeSet::requested(&scope).map_err(|_| refused("scope is not a list of this server's scopes.")),
    }
}

/// By value only: an address would have this server fetch what somebody else names (RFC 7591 section 5).
fn jwks(members: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    if members.get("jwks_uri").is_some_and(|uri| !uri.is_null()) {
        return Err(refused("Send the keys themselves in jwks: this server does not fetch them from a jwks_uri."));
    }
    let Some(set) = members.get("jwks").filter(|set| !set.is_null()) else { return Ok(None) };
    match ClientKeys::from_json(set) {
        Ok(keys) => Ok(Some(keys.to_json().to_string())),
        Err(ClientKeysError::Key(PublicKeyError::Private)) => {
            Err(refused("jwks has a private or a shared key: send public ones only."))
        }
        Err(ClientKeysError::SameKeyId) => Err(refused("jwks has two keys with the same kid.")),
        Err(ClientKeysError::Form) => Err(refused("jwks has to be a JWK Set with 1 to 10 keys.")),
        Err(ClientKeysError::Key(_)) => {
            Err(refused("jwks has a key that is neither EC with P-256, nor RSA of 2048 to 4096 bits, nor Ed25519."))
        }
    }
}

fn algorithm(name: Option<String>) -> Result<Option<SigningAlgorithm>, Invalid> {
    let Some(name) = name else { return Ok(None) };
    SigningAlgorithm::parse(&name).map(Some).map_err(|_| refused("Tokens are signed with ES256, RS256 or EdDSA."))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::domain::ids::AppId;
    use crate::domain::timestamp::Timestamp;

    const CB: &str = "https://a.test/cb";

    fn read(value: Value) -> Result<App, Invalid> {
        let metadata = ClientMetadata::read(value.as_object().unwrap(), true)?;
        let app = App::new(AppId::parse("app-1").unwrap(), String::new(), Timestamp::from_micros(0));
        let app = metadata.describe(app);
        app.check()?;
        Ok(app)
    }

    #[track_caller]
    fn code(value: Value) -> ErrorCode {
        let invalid = read(value.clone()).map(|app| panic!("accepted {value} as {app:?}")).unwrap_err();
        let description = invalid.description;
        assert!(description.bytes().all(|b| (0x20..0x7f).contains(&b) && !b"\"\\".contains(&b)), "{description}");
        invalid.code
    }

    /// Metadata of a good client with one member in place of its own.
    fn with(name: &str, value: Value) -> Value {
        let mut client = json!({"redirect_uris": [CB]});
        client[name] = value;
        client
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_rfc_7591() {
        let nulls = json!({"redirect_uris": [CB], "scope": null, "jwks": null, "jwks_uri": null, "client_name": null,
                           "grant_types": null, "response_types": null, "token_endpoint_auth_method": null,
                           "dpop_bound_access_tokens": null, "contacts": 7, "logo_uri": {}});
        for client in [json!({"redirect_uris": [CB]}), nulls] {
            let app = read(client).unwrap();
            assert_eq!(app.name, "app-1");
            assert_eq!(app.auth_method, AuthMethod::ClientSecretBasic);
            assert_eq!(app.grant_types, [GrantType::AuthorizationCode]);
            assert_eq!(app.scopes.to_string(), "account_api data_api lead_receiver");
            assert_eq!((app.access_token_alg, app.id_token_alg), (SigningAlgorithm::Es256, SigningAlgorithm::Rs256));
            assert!(app.jwks.is_none() && app.homepage.is_none() && !app.requires_dpop && !app.requires_par);
        }
    }

    #[test]
    fn everything_that_is_known_is_taken() {
        let app = read(json!({
            "redirect_uris": [CB, "com.example.app:/cb", CB], "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token", "password", "refresh_token",
                            "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"], "client_name": "Ünïted", "client_uri": "http://a.test/#about",
            "scope": "openid data_api", "post_logout_redirect_uris": ["https://a.test/bye"],
            "id_token_signed_response_alg": "EdDSA", "access_token_signing_alg": "RS256", "application_type": "native",
            "dpop_bound_access_tokens": true, "require_pushed_authorization_requests": true,
        }))
        .unwrap();
        assert_eq!(app.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(), [CB, "com.example.app:/cb"]);
        assert_eq!((app.auth_method, app.grant_types.len()), (AuthMethod::None, 4));
        assert_eq!((app.name.as_str(), app.homepage.as_deref()), ("Ünïted", Some("http://a.test/#about")));
        assert_eq!(app.scopes.to_string(), "data_api openid");
        assert_eq!(app.post_logout_redirect_uris[0].as_str(), "https://a.test/bye");
        assert_eq!((app.access_token_alg, app.id_token_alg), (SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa));
        assert!(app.requires_dpop && app.requires_par);
        assert!(read(json!({"grant_types": ["client_credentials"], "response_types": []})).is_ok());
        assert_eq!(read(with("scope", json!(""))).unwrap().scopes.to_string(), "account_api data_api lead_receiver");
        assert!(read(with("application_type", json!("web"))).is_ok());
    }

    #[test]
    fn b4_b6_b18_redirect_uris_are_judged() {
        let many: Vec<String> = (0..=MAX_URIS).map(|nth| format!("https://a.test/{nth}")).collect();
        for uris in [
            json!(null),
            json!([]),
            json!(CB),
            json!([CB, 7]),
            json!(["http://a.test/cb"]),
            json!([CB, "javascript:alert(1)"]),
            json!(["data:text/html,x"]),
            json!(["myapp:/cb"]),
            json!(["https://a.test/cb#x"]),
            json!(["https://u:p@a.test/"]),
            json!(["https://a.test/cb?code=1"]),
            json!(["https://A.test/cb"]),
            json!(["/cb"]),
            json!([format!("https://a.test/{}", "x".repeat(2_000))]),
            json!(many),
        ] {
            assert_eq!(code(json!({"redirect_uris": uris})), ErrorCode::InvalidRedirectUri, "{uris}");
        }
        assert!(read(json!({"redirect_uris": many[1..]})).is_ok());
        let web = json!({"redirect_uris": ["com.example.app:/cb"], "application_type": "web"});
        assert_eq!(code(web), ErrorCode::InvalidRedirectUri);
    }

    #[test]
    fn all_else_is_judged_too() {
        for (name, value) in [
            ("client_name", json!("")),
            ("client_name", json!("x".repeat(121))),
            ("client_name", json!("a\u{7}")),
            ("client_name", json!(7)),
            ("client_uri", json!("javascript:alert(1)")),
            ("client_uri", json!("https://a.test/\n")),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("token_endpoint_auth_method", json!(["none"])),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("grant_types", json!([])),
            ("grant_types", json!("authorization_code")),
            ("grant_types", json!(["authorization_code", "implicit"])),
            ("grant_types", json!(["authorization_code", "device_code"])),
            ("response_types", json!(["token"])),
            ("response_types", json!(["code", "token"])),
            ("response_types", json!([])),
            ("scope", json!("admin")),
            ("scope", json!("openid\tprofile")),
            ("scope", json!(["openid"])),
            ("jwks", json!({})),
            ("jwks", json!({"keys": []})),
            ("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
            ("jwks", json!({"keys": [{"kty": "EC", "crv": "P-384", "x": "", "y": ""}]})),
            ("jwks_uri", json!("https://a.test/jwks.json")),
            ("post_logout_redirect_uris", json!(["http://a.test/"])),
            ("post_logout_redirect_uris", json!(["com.example.app:/bye"])),
            ("post_logout_redirect_uris", json!(vec![CB; MAX_URIS + 1])),
            ("id_token_signed_response_alg", json!("none")),
            ("access_token_signing_alg", json!("HS256")),
            ("dpop_bound_access_tokens", json!("true")),
            ("require_pushed_authorization_requests", json!(1)),
            ("application_type", json!("desktop")),
        ] {
            assert_eq!(code(with(name, value.clone())), ErrorCode::InvalidClientMetadata, "{name}: {value}");
        }
    }

    #[test]
    fn g1_a_public_client_has_no_client_credentials() {
        let client = json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"});
        assert_eq!(code(client), ErrorCode::InvalidClientMetadata);
        let both = json!({"grant_types": ["client_credentials"], "response_types": ["code"]});
        assert_eq!(code(both), ErrorCode::InvalidClientMetadata);
    }

    #[test]
    fn g5_the_password_grant_is_to_be_had_only_where_the_server_has_it() {
        let client = json!({"grant_types": ["password"]});
        assert!(ClientMetadata::read(client.as_object().unwrap(), true).is_ok());
        let refused = ClientMetadata::read(client.as_object().unwrap(), false).map(|_| ()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidClientMetadata);
    }

    #[test]
    fn keys_are_kept_without_what_is_not_used_of_them() {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                         "kid": "one", "comment": "x"});
        let client = json!({"redirect_uris": [CB], "token_endpoint_auth_method": "private_key_jwt",
                            "jwks": {"keys": [key], "more": 1}});
        let kept = read(client).unwrap().jwks.unwrap();
        assert!(kept.contains("\"one\"") && !kept.contains("comment") && !kept.contains("more"), "{kept}");
        assert_eq!(ClientKeys::parse(&kept).unwrap().to_json().to_string(), kept);
    }

    #[test]
    fn the_longest_keys_can_be_read_back() {
        let modulus = URL_SAFE_NO_PAD.encode([0xff; 512]);
        let id = |nth: usize| format!("{nth}{}", "\u{1}".repeat(255));
        let keys: Vec<Value> = (0..10)
            .map(|nth| json!({"kty": "RSA", "n": modulus, "e": "_____w", "kid": id(nth), "alg": "PS256"}))
            .collect();
        let kept = read(with("jwks", json!({"keys": keys}))).unwrap().jwks.unwrap();
        assert!(ClientKeys::parse(&kept).is_ok(), "{} bytes", kept.len());
    }
}
