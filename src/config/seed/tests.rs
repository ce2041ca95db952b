use super::*;

const WHOLE: &str = r#"
[[accounts]]
id = "acme"
name = "Acme Mortgage"
api_keys = ["3f0f1c1e-0000-4000-8000-000000000001"]

[[users]]
email = "Ada@acme.test"
password = "correct horse battery"
name = "Ada Buyer"
account = "acme"
role = "partner"

[[apps]]
id = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001"
name = "Rate Finder"
publisher = "Rate Finder Inc."
client_secret = "app-secret"
grant_types = ["authorization_code", "refresh_token", "client_credentials", "password"]
redirect_uris = ["http://127.0.0.1:9100/callback"]
scopes = ["account_api", "data_api", "lead_receiver"]
owner = "ada@acme.test"

[[apps.buttons]]
id = "btn-rate-finder"
origins = ["http://localhost:9001"]
return_urls = ["http://localhost:9001/signin"]
scopes = ["account_api"]

[[lead_types]]
uid = 4204
name = "Mortgage"
required = ["FirstName", "LastName", "Email"]
unique = ["Email"]

[[sources]]
vid = 1041
name = "Rate Finder"
account = "acme"

[[campaigns]]
aid = 7
vid = 1041
lid = 4204
name = "In the West"
enabled = false
daily_cap = 10
criteria = { State = ["CA"], LoanAmount = { min = 1, max = 2.5 } }
"#;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const KEYS: &str = "jwks = { keys = [{ kty = \"OKP\", crv = \"Ed25519\", \
                    x = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\", kid = \"one\" }] }\n";
const USER: &str = "[[users]]\nname = \"A\"\naccount = \"acme\"\n";
const APP: &str = "[[apps]]\nid = \"app\"\nname = \"App\"\n";
const BUTTON: &str = "[[apps]]\nid = \"app\"\nname = \"App\"\n[[apps.buttons]]\nid = \"b\"\n";

fn parse(text: &str) -> Result<SeedFile, ConfigError> {
    SeedFile::parse(Path::new("seed.toml"), text)
}

fn faults(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(seed) => panic!("accepted as {seed:?}"),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

/// The only fault of a text.
fn fault(text: &str) -> String {
    let mut found = faults(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn the_documented_file_is_read_whole() {
    let seed = parse(WHOLE).unwrap();
    assert_eq!(seed.accounts[0].id.as_ref().unwrap().as_str(), "acme");
    assert_eq!(seed.accounts[0].api_keys.as_ref().unwrap().len(), 1);
    let user = &seed.users[0];
    assert_eq!(user.email.as_str(), "ada@acme.test");
    assert_eq!((user.role, user.account.in_file), (Role::Partner, true));
    let app = &seed.apps[0];
    assert_eq!((app.client.grant_types.len(), app.client.auth_method), (4, AuthMethod::ClientSecretBasic));
    assert!(app.owner.as_ref().unwrap().in_file);
    let button = &app.buttons[0];
    assert_eq!(button.origins[0].as_str(), "http://localhost:9001");
    assert_eq!(button.return_urls[0].as_str(), "http://localhost:9001/signin");
    assert_eq!(button.scopes.as_ref().unwrap().to_string(), "account_api");
    assert_eq!((seed.lead_types[0].uid, seed.lead_types[0].unique.len()), (4204, 1));
    let source = &seed.sources[0];
    assert_eq!((source.vid, source.is_enabled, source.account.in_file), (1041, true, true));
    let campaign = &seed.campaigns[0];
    assert_eq!((campaign.aid, campaign.source.to, campaign.lead_type), (7, 1041, 4204));
    assert_eq!((campaign.source.in_file, campaign.is_enabled, campaign.daily_cap), (true, false, Some(10)));
    assert_eq!(campaign.criteria.to_json()["State"], serde_json::json!(["CA"]));
}

#[test]
fn what_is_optional_has_a_modest_default() {
    let seed = parse(APP).unwrap();
    let app = &seed.apps[0];
    assert_eq!(app.publisher, "App");
    let client = &app.client;
    assert!(client.client_secret.is_none() && client.redirect_uris.is_empty() && app.owner.is_none());
    assert_eq!(client.auth_method, AuthMethod::None);
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!(client.scopes.to_string(), "account_api");
    assert_eq!(client.access_token_alg, SigningAlgorithm::Es256);
    assert_eq!(client.id_token_alg, SigningAlgorithm::Rs256);
    assert!(!client.requires_dpop && !client.requires_par && client.jwks.is_none());
    let seed = parse(&format!("{USER}email = \"a@b\"\npassword = \"p\"\n")).unwrap();
    assert_eq!(seed.users[0].role, Role::Member);
    assert!(parse("").unwrap().accounts.is_empty());
}

#[test]
fn unknown_keys_and_tables_name_the_nearest_known() {
    assert_eq!(
        faults("[[user]]\nemail = \"a@b\"\n"),
        ["seed.toml:1:3: user: unknown key; expected `users`, which is the nearest known"]
    );
    let text = format!("{BUTTON}origns = [\"http://localhost:1\"]\n");
    let found = faults(&text);
    assert_eq!(
        found[1],
        "seed.toml:6:1: apps[0].buttons[0].origns: unknown key; expected `origins`, which is the nearest known"
    );
}

#[test]
fn a_bad_origin_names_the_nearest_valid_form() {
    let found = fault(&format!("{BUTTON}origins = [\n  \"http://localhost:1\",\n  \"https://A.test/\",\n]\n"));
    assert!(
        found.starts_with(
            "seed.toml:8:3: apps[0].buttons[0].origins[1]: found \"https://A.test/\"; expected `https://a.test`"
        ),
        "{found}"
    );
    assert!(fault(&format!("{BUTTON}origins = [\"*\"]\n")).contains("wildcard"));
}

#[test]
fn a_return_address_is_absolute_https_or_loopback_without_fragment() {
    for bad in ["/signin", "http://a.test/signin", "https://a.test/#x", "javascript:alert(1)"] {
        let found = fault(&format!("{BUTTON}origins = []\nreturn_urls = [\"{bad}\"]\n"));
        assert!(found.starts_with("seed.toml:7:16: apps[0].buttons[0].return_urls[0]: found"), "{found}");
    }
    let good = "\"https://a.test/x\", \"http://localhost:1/\", \"http://p.localhost/\", \"http://127.9.9.9/\", \"http://[::1]/\"";
    assert!(parse(&format!("{BUTTON}origins = []\nreturn_urls = [{good}]\n")).is_ok());
    assert!(fault(&format!("{APP}redirect_uris = [\"http://a.test/\"]\n")).contains("redirect_uris[0]"));
}

#[test]
fn words_out_of_a_list_name_the_nearest_one() {
    let user = format!("{USER}email = \"a@b\"\npassword = \"p\"\n");
    assert!(fault(&format!("{user}role = \"Partner\"\n")).ends_with("expected `partner`, which is the nearest known"));
    assert!(
        fault(&format!("{APP}scopes = [\"accountapi\"]\n"))
            .contains("scopes[0]: found \"accountapi\"; expected `account_api`")
    );
    assert!(fault(&format!("{APP}grant_types = [\"implicit\"]\n")).contains("`authorization_code`"));
}

#[test]
fn a_button_cannot_ask_for_more_than_its_application_has() {
    let found = fault(&format!("{BUTTON}origins = []\nscopes = [\"data_api\"]\n"));
    assert!(
        found.contains("found `data_api`, which its application does not have; expected some of `account_api`"),
        "{found}"
    );
}

#[test]
fn client_credentials_need_a_secret() {
    let text = format!("{APP}grant_types = [\"client_credentials\"]\n");
    assert!(fault(&text).contains("without a `client_secret` or `jwks`"));
    assert!(parse(&format!("{text}client_secret = \"s\"\n")).is_ok());
}

#[test]
fn an_application_says_all_that_a_client_can_register() {
    let seed = parse(&format!(
        "{APP}token_endpoint_auth_method = \"private_key_jwt\"\n{KEYS}{}",
        r#"
grant_types = ["device_code", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
post_logout_redirect_uris = ["https://a.test/bye"]
resources = ["https://api.a.test", "urn:a:b"]
access_token_signing_alg = "EdDSA"
id_token_signed_response_alg = "ES256"
dpop_bound_access_tokens = true
require_pushed_authorization_requests = true
"#
    ));
    let client = &seed.unwrap().apps[0].client;
    assert_eq!(client.auth_method, AuthMethod::PrivateKeyJwt);
    assert_eq!(client.grant_types, [GrantType::DeviceCode, GrantType::ClientCredentials]);
    assert_eq!(client.post_logout_redirect_uris[0].as_str(), "https://a.test/bye");
    assert_eq!(client.resources.iter().map(Resource::as_str).collect::<Vec<_>>(), ["https://api.a.test", "urn:a:b"]);
    assert_eq!((client.access_token_alg, client.id_token_alg), (SigningAlgorithm::EdDsa, SigningAlgorithm::Es256));
    assert!(client.requires_dpop && client.requires_par);
}

#[test]
fn keys_are_a_table_or_json() {
    let method = "token_endpoint_auth_method = \"private_key_jwt\"\n";
    let json =
        format!("jwks = '{{\"keys\": [{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{X}\",\"kid\":\"one\"}}]}}'\n");
    let jwks = |text: &str| parse(&format!("{APP}{method}{text}")).unwrap().apps.remove(0).client.jwks.unwrap();
    assert_eq!(jwks(KEYS), jwks(&json));
    assert!(jwks(KEYS).contains(X));

    let told = |line: &str| fault(&format!("{APP}{method}{line}\n"));
    assert!(
        told("jwks = 7").starts_with("seed.toml:5:8: apps[0].jwks: found an integer; expected a table, or a string")
    );
    assert!(told("jwks = 'hunter2'").contains("apps[0].jwks: found what is no JSON"));
    assert!(told("jwks = {}").contains("expected a JWK Set"));
    assert!(told("jwks = { keys = [1979-05-27] }").contains("found what is no JSON"));
    let private = told(r#"jwks = { keys = [{ kty = "oct", k = "hunter2" }] }"#);
    assert!(private.contains("not a public one") && !private.contains("hunter2"), "{private}");
}

#[test]
fn a_method_of_authentication_has_its_credentials_beside_it() {
    let told = |lines: &str| fault(&format!("{APP}{lines}"));
    let method = |name: &str| format!("token_endpoint_auth_method = \"{name}\"\n");
    let found = told(&method("client_secret_post"));
    assert!(
        found.starts_with(
            "seed.toml:4:30: apps[0].token_endpoint_auth_method: found `client_secret_post` without `client_secret`"
        ),
        "{found}"
    );
    assert!(told(&method("private_key_jwt")).contains("found `private_key_jwt` without `jwks`"));
    assert!(told(&format!("{}client_secret = \"s\"\n", method("none"))).contains("apps[0].client_secret: found"));
    let both = format!("{}{KEYS}client_secret = \"s\"\n", method("private_key_jwt"));
    assert!(told(&both).contains("apps[0].client_secret: found"));
    assert!(told(KEYS).contains("apps[0].jwks: found `jwks` beside the method `none`"));
    let unread = told(&format!("{}{KEYS}", method("private_key_jwtt")));
    assert!(unread.ends_with("`private_key_jwt`, which is the nearest known"), "{unread}");
    assert!(told(&method("client_secret_bsic")).ends_with("`client_secret_basic`, which is the nearest known"));
    for name in ["client_secret_basic", "client_secret_post"] {
        let seed = parse(&format!("{APP}{}client_secret = \"s\"\n", method(name))).unwrap();
        assert_eq!(seed.apps[0].client.auth_method.as_str(), name);
    }
    assert_eq!(parse(&format!("{APP}{}", method("none"))).unwrap().apps[0].client.auth_method, AuthMethod::None);
}

#[test]
fn the_rest_of_a_client_is_judged_too() {
    for (line, expected) in [
        ("access_token_signing_alg = \"HS256\"", "expected `"),
        ("id_token_signed_response_alg = \"none\"", "`RS256`"),
        ("post_logout_redirect_uris = [\"http://a.test/\"]", "apps[0].post_logout_redirect_uris[0]"),
        ("resources = [\"/api\"]", "apps[0].resources[0]: found \"/api\"; expected an address"),
        ("dpop_bound_access_tokens = \"yes\"", "found a string; expected `true` or `false`, without quotes"),
        ("require_pushed_authorization_requests = 1", "found an integer; expected `true` or `false`"),
    ] {
        let found = fault(&format!("{APP}{line}\n"));
        assert!(found.starts_with("seed.toml:4:") && found.contains(expected), "{found}");
    }
}

#[test]
fn what_comes_twice_names_the_first_place() {
    for (text, expected) in [
        (
            "[[accounts]]\nid = \"a\"\nname = \"A\"\n[[accounts]]\nid = \"a\"\nname = \"B\"\n",
            "seed.toml:5:6: accounts[1].id: found what `accounts[0].id` has already",
        ),
        ("[[accounts]]\nname = \"A\"\n[[accounts]]\nname = \"A\"\n", "accounts[1].name: found what `accounts[0].name`"),
        (
            "[[apps]]\nid = \"a\"\nname = \"A\"\n[[apps]]\nid = \"a\"\nname = \"B\"\n",
            "apps[1].id: found what `apps[0].id`",
        ),
        ("[[lead_types]]\nuid = 1\nname = \"A\"\n[[lead_types]]\nuid = 1\nname = \"B\"\n", "lead_types[1].uid"),
    ] {
        assert!(fault(text).contains(expected), "{}", fault(text));
    }
    let one = |email: &str| format!("{USER}email = \"{email}\"\npassword = \"p\"\n");
    assert!(fault(&(one("a@b") + &one("A@B"))).contains("users[1].email: found what `users[0].email`"));
    let buttons = "[[apps.buttons]]\nid = \"b\"\norigins = []\n".repeat(2);
    assert!(fault(&format!("{APP}{buttons}")).contains("apps[0].buttons[1].id"));
    let origins = "origins = [\"http://localhost:1\", \"http://localhost:1\"]\n";
    assert!(fault(&format!("{BUTTON}{origins}")).contains("origins[1]: found what"));
}

#[test]
fn a_user_has_a_password_or_its_hash() {
    let user = format!("{USER}email = \"a@b\"\n");
    let hash = "password_hash = \"$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA\"\n";
    assert!(matches!(parse(&format!("{user}{hash}")).unwrap().users[0].password, SeedPassword::Hash(_)));
    assert!(fault(&format!("{user}{hash}password = \"p\"\n")).contains("`password_hash` beside `password`"));
    assert!(fault(&user).starts_with("seed.toml:1:1: users[0]: `password` is missing"));
    assert!(fault(&format!("{user}password_hash = \"hunter2\"\n")).contains("argon2id"));
    assert!(fault(&format!("{user}password = 7\n")).contains("found an integer"));
}

#[test]
fn secrets_are_never_quoted() {
    let user = format!("{USER}email = \"a@b\"\n");
    for text in [
        format!("{user}password = \"{}\"\n", "hunter2".repeat(200)),
        format!("{user}password_hash = \"hunter2\"\n"),
        format!("{APP}client_secret = \"hunter2\\u00e9\"\n"),
        "[[accounts]]\nname = \"A\"\napi_keys = [\"hunter2\", \"hunter2\"]\n".to_owned(),
        format!("{user}password = \"hunter2\n"),
    ] {
        let told = faults(&text).join("\n");
        assert!(!told.contains("hunter2"), "{told}");
    }
    assert!(!format!("{:?}", parse(WHOLE).unwrap()).contains("horse"));
}

#[test]
fn lengths_and_counts_are_bounded() {
    assert!(fault("[[accounts]]\nname = \" \"\n").contains("1 to 120 visible characters"));
    assert!(fault(&format!("[[accounts]]\nname = \"{}\"\n", "x".repeat(121))).contains("(121 characters)"));
    let many: Vec<String> = (1..=101).map(|port| format!("\"http://localhost:{port}\"")).collect();
    assert!(
        fault(&format!("{BUTTON}origins = [{}]\n", many.join(",")))
            .contains("found 101 elements; expected at most 100")
    );
    let accounts: String = (0..=1_000).map(|n| format!("[[accounts]]\nname = \"A{n}\"\n")).collect();
    assert!(fault(&accounts).contains("found 1001 entries; expected at most 1000"));
    assert!(fault("[[lead_types]]\nuid = 0\nname = \"A\"\n").contains("found 0; expected 1 to 4294967295"));
}

#[test]
fn what_the_file_does_not_define_is_left_to_the_database() {
    let seed = parse(&format!("{USER}email = \"a@b\"\npassword = \"p\"\n{APP}owner = \"x@y\"\n")).unwrap();
    assert!(!seed.users[0].account.in_file);
    let error = seed.apps[0].owner.as_ref().unwrap().unresolved().to_string();
    assert!(error.starts_with("seed.toml:9:9: apps[0].owner: found `x@y`, which neither"), "{error}");
}

#[test]
fn an_account_without_an_id_is_referred_to_by_its_name() {
    let user = "[[users]]\nemail = \"a@b\"\npassword = \"p\"\nname = \"A\"\naccount = \"Acme\"\n";
    let seed = parse(&format!("[[accounts]]\nname = \"Acme\"\n{user}")).unwrap();
    assert!(seed.users[0].account.in_file);
}

#[test]
fn published_secrets_are_found() {
    let error = parse(WHOLE).unwrap().refuse_published_secrets(Path::new("seed.toml")).unwrap_err();
    assert_eq!(error.faults().len(), 3, "{error}");
}

#[test]
fn part_c_sources_and_campaigns_are_judged_too() {
    const SOURCE: &str = "[[sources]]\nvid = 1\nname = \"A\"\naccount = \"acme\"\n";
    const CAMPAIGN: &str = "[[campaigns]]\naid = 1\nvid = 1\nlid = 1\nname = \"A\"\n";
    let parsed = parse(&format!("{SOURCE}{CAMPAIGN}")).unwrap();
    assert!(!parsed.sources[0].account.in_file && parsed.campaigns[0].source.in_file);
    assert!(!parse(CAMPAIGN).unwrap().campaigns[0].source.in_file, "the database may have it");
    for (text, told) in [
        (format!("{SOURCE}{SOURCE}"), "one entry for each lead source"),
        (format!("{CAMPAIGN}{CAMPAIGN}"), "one entry for each campaign"),
        ("[[sources]]\nname = \"A\"\naccount = \"acme\"\n".to_owned(), "`vid` is missing"),
        (SOURCE.replace("= 1", "= 0"), "1 to 4294967295"),
        (format!("{SOURCE}enabld = true\n"), "`enabled`"),
        (CAMPAIGN.replace("lid = 1\n", ""), "`lid` is missing"),
        (format!("{CAMPAIGN}daily_cap = 0\n"), "1 to 4294967295"),
        (format!("{CAMPAIGN}criteria = {{ State = \"CA\" }}\n"), "a list of 1 to 100 texts or numbers"),
        (format!("{CAMPAIGN}criteria = {{ Amount = {{ least = 5 }} }}\n"), "`LoanAmount = { min"),
    ] {
        assert!(fault(&text).contains(told), "{text}: {}", fault(&text));
    }
}
