//! Test leads: each method against our own receivers over real connections, and what is said where one is not taken.

use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Router, serve};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{ADA, PASSWORD, World, both};

/// The world on a port of this machine; its address.
pub async fn served(world: &World) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = world.router.clone();
    tokio::spawn(async move { serve(listener, router).await.unwrap() });
    address
}

/// Sends a lead from one delivery to the receiver of another; the exchange.
async fn send(world: &World, address: &str, from: &str, to: &str) -> Value {
    let body = json!({"url": format!("{address}/deliveries/{to}/receive"), "lead": {"FirstName": "Zoë"}});
    let tested = world.api("POST", &format!("/{from}/test"), Some(&body)).await.expect(200).json();
    assert_eq!(tested["status"], tested["exchange"]["status"]);
    tested["exchange"].clone()
}

fn lines(exchange: &Value) -> Vec<String> {
    let steps = exchange["steps"].as_array().unwrap().iter();
    steps.map(|step| step["response"]["line"].as_str().unwrap_or("none").to_owned()).collect()
}

/// wire.md D: Basic and Bearer in one request, Digest in two, and the whole exchange without its secrets.
async fn part_d_each_method_gets_a_lead_through(world: World) {
    let address = served(&world).await;
    for (settings, steps) in [
        (json!({"method": "basic", "username": "jäger", "password": "a:b-s3cret"}), vec!["200"]),
        (json!({"method": "bearer", "prefix": "Token", "token": "t0ken-s3cret"}), vec!["200"]),
        (json!({"method": "digest", "username": "jäger", "password": "d-s3cret"}), vec!["401", "200"]),
        (
            json!({"method": "digest", "username": "c", "password": "d-s3cret", "algorithms": ["SHA-256", "MD5"]}),
            vec!["401", "200"],
        ),
        (
            json!({"method": "digest", "username": "c", "password": "d-s3cret", "algorithms": ["MD5"]}),
            vec!["401", "200"],
        ),
    ] {
        let id = world.delivery(settings.clone()).await;
        let exchange = send(&world, &address, &id, &id).await;
        assert_eq!(
            (lines(&exchange), &exchange["why"]),
            (steps.iter().map(|s| (*s).to_owned()).collect(), &Value::Null)
        );
        assert_eq!(exchange["lead"], "{\"FirstName\":\"Zoë\"}");
        assert!(!exchange.to_string().contains("s3cret"), "{exchange}");
        let kept = world.exchanges(&id).await;
        assert_eq!(kept[0]["id"], exchange["id"], "it is kept");
        let received = kept.iter().find(|one| one["kind"] == "received").unwrap();
        assert_eq!(received["lead"], "{\"FirstName\":\"Zoë\"}");
    }
}

/// Q9: of what a target offers the strongest is taken, and nothing weaker than what is configured.
async fn q9_the_strongest_algorithm_is_taken(world: World) {
    let address = served(&world).await;
    let settings =
        |algorithms: Value| json!({"method": "digest", "username": "c", "password": "p", "algorithms": algorithms});
    let both = world.delivery(settings(json!(["SHA-256", "MD5"]))).await;
    let strong = world.delivery(settings(json!(["SHA-256"]))).await;
    let weak = world.delivery(settings(json!(["MD5"]))).await;
    let exchange = send(&world, &address, &both, &both).await;
    let sent = exchange["steps"][1]["request"].to_string();
    assert!(sent.contains("algorithm=\\\"SHA-256\\\""), "{sent}");
    let refused = send(&world, &address, &strong, &weak).await;
    let why = refused["why"].as_str().unwrap();
    assert!(why.contains("asks for Digest MD5") && why.contains("SHA-256"), "{why}");
    assert_eq!(lines(&refused), ["401"], "no response was computed");
}

/// wire.md D: a token first, by Client Credentials or Password, then the lead.
async fn part_d_oauth_fetches_a_token_first(world: World) {
    let address = served(&world).await;
    let settings = |more: Value| {
        let mut settings = json!({"method": "oauth2", "token_url": format!("{address}/oauth/token"),
            "client_id": "studio", "client_secret": "studio-client-secret", "scope": "lead_receiver"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    };
    for more in [json!({}), json!({"grant_type": "password", "username": ADA, "password": PASSWORD})] {
        let id = world.delivery(settings(more)).await;
        let exchange = send(&world, &address, &id, &id).await;
        assert_eq!(lines(&exchange), ["200", "200"], "{exchange}");
        let text = exchange.to_string();
        for secret in ["studio-client-secret", PASSWORD, "correct+horse", "eyJ"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    let wrong = world.delivery(settings(json!({"client_secret": "wr0ng"}))).await;
    let exchange = send(&world, &address, &wrong, &wrong).await;
    assert_eq!(lines(&exchange), ["401", "401"], "in the header, then in the form");
    assert!(exchange["why"].as_str().unwrap().contains("401 with invalid_client"), "{exchange}");
    let bare = world.delivery(json!({"method": "oauth2", "token_url": format!("{address}/oauth/token")})).await;
    let exchange = send(&world, &address, &bare, &bare).await;
    assert_eq!((&exchange["status"], lines(&exchange).len()), (&Value::Null, 0));
    assert!(exchange["why"].as_str().unwrap().contains("no client id"));
}

/// wire.md D: where the target does not take the lead, one sentence says why.
async fn part_d_what_went_wrong_is_said(world: World) {
    let address = served(&world).await;
    let basic = world.delivery(json!({"method": "basic", "username": "c", "password": "p"})).await;
    let bearer = world.delivery(json!({"method": "bearer", "token": "x"})).await;
    let open = world.delivery(json!({"method": "digest", "username": "c", "password": "p"})).await;
    let exchange = send(&world, &address, &basic, &bearer).await;
    assert_eq!(exchange["why"], "the target refused the credentials, and asks for: Bearer");
    let why = async |id: &str, url: &str| {
        let body = json!({"url": url, "lead": "FirstName=Ada"});
        let tested = world.api("POST", &format!("/{id}/test"), Some(&body)).await.expect(200).json();
        (tested["status"].clone(), tested["exchange"]["why"].as_str().unwrap_or_default().to_owned())
    };
    let (status, said) = why(&basic, "https://leads.example.com/").await;
    assert!(status.is_null() && said.contains("leads.example.com"), "{said}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (status, said) = why(&basic, &nobody).await;
    assert!(status.is_null() && said.contains("could not be reached"), "{said}");
    assert_eq!(why(&basic, &format!("{address}/nothing")).await, (json!(404), "the target answered 404".to_owned()));
    let (_, said) = why(&basic, &format!("{address}/console/apps?x=1")).await;
    assert!(!said.is_empty());
    let taken = why(&open, &format!("{address}/oauth/revoke")).await;
    assert_ne!(taken.1, "", "no challenge of Digest");
}

/// A server of a partner's, which answers whatever it is asked.
async fn partner(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, routes).await.unwrap() });
    address
}

/// The request in a body of JSON, as Node writes it; then as PHP and Python do.
async fn echo(headers: HeaderMap, body: String) -> String {
    let headers =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>();
    let node = json!({"headers": headers, "body": body}).to_string();
    let ascii = |text: &str| {
        let unit = |unit: u16| format!("\\u{unit:04x}");
        let each = |c: char| {
            if c.is_ascii() { c.to_string() } else { c.encode_utf16(&mut [0; 2]).iter().map(|u| unit(*u)).collect() }
        };
        text.chars().map(each).collect::<String>()
    };
    let (php, python) = (ascii(&node.replace('/', "\\/")), ascii(&node));
    format!("{node}\n{php}\n{python}\n{}", json!(php))
}

/// Q11: a target that repeats what it was sent tells nobody a secret.
async fn q11_what_a_target_repeats_is_hidden(world: World) {
    let address = partner(Router::new().fallback(echo)).await;
    // Its Base64 has a slash and a plus, which are escaped.
    let password = "s3cret/ü€>>>???~~~";
    let pair = STANDARD.encode(format!("jäger:{password}"));
    assert!(pair.contains('/'), "{pair}");
    let hidden = [password, &password[..7], &pair, &pair[8..30], "s3cret", "\\/\\u00fc"];
    for settings in [
        json!({"method": "basic", "username": "jäger", "password": password}),
        json!({"method": "bearer", "token": "s3cret/t0ken"}),
    ] {
        let id = world.delivery(settings).await;
        let lead = format!("FirstName=Ada&note={password}");
        let body = json!({"url": format!("{address}/"), "lead": lead});
        let mut exchange =
            world.api("POST", &format!("/{id}/test"), Some(&body)).await.expect(200).json()["exchange"].clone();
        exchange.as_object_mut().unwrap().remove("lead");
        let kept = world.exchanges(&id).await[0]["steps"].to_string();
        assert!(kept.contains("authorization: "), "it was repeated: {kept}");
        if exchange["steps"][0]["request"].to_string().contains("Basic") {
            for secret in hidden {
                assert!(!kept.contains(secret), "{secret}: {kept}");
            }
        } else {
            assert!(!kept.contains("t0ken"), "{kept}");
        }
    }
}

/// Q11: of what a token endpoint says nothing is shown but what is known to be harmless.
async fn q11_a_token_is_hidden_in_whatever_answer(world: World) {
    let token = "t0ken-that-nobody-sees";
    let answers = [
        json!({"access_token": token, "token_type": "Bearer", "again": token, "scope": "lead_receiver"}).to_string(),
        format!("access_token={token}&token_type=Bearer"),
        json!({"data": {"access_token": token}}).to_string(),
        format!(r#"{{"access_token":"{token}"#),
        json!({"error": "invalid_client", "access_token": [token]}).to_string(),
    ];
    for (nth, answer) in answers.into_iter().enumerate() {
        let routes = Router::new().route("/token", post(async move || answer)).fallback(echo);
        let address = partner(routes).await;
        let settings = json!({"method": "oauth2", "token_url": format!("{address}/token"), "client_id": "crm",
            "client_secret": "abc", "grant_type": "password", "username": "ada", "password": "xyz"});
        let id = world.delivery(settings).await;
        let tested = world.api("POST", &format!("/{id}/test"), Some(&json!({"url": address}))).await.expect(200).json();
        let shown = tested.to_string();
        assert!(!shown.contains("t0ken"), "{shown}");
        let asked = tested["exchange"]["steps"][0]["request"]["body"].clone();
        assert_eq!(asked, "grant_type=password&username=ada&password=***", "a short one too");
        let said = tested["exchange"]["steps"][0]["response"]["body"].as_str().unwrap();
        match nth {
            0 => assert_eq!(said, r#"{"access_token":"***","scope":"lead_receiver","token_type":"Bearer"}"#),
            2 => assert_eq!(said, "{}"),
            4 => assert!(said.contains("invalid_client"), "{said}"),
            _ => assert!(said.ends_with(" bytes)"), "{said}"),
        }
    }
}

/// Without an address the lead goes to the delivery's target; a text is sent as it is.
async fn part_d_a_delivery_has_a_target_of_its_own(world: World) {
    let address = served(&world).await;
    let id = world.delivery(json!({"method": "bearer", "token": "x"})).await;
    let url = format!("{address}/deliveries/{id}/receive");
    world.api("PATCH", &format!("/{id}"), Some(&json!({"url": url}))).await.expect(200);
    let tested = world.api("POST", &format!("/{id}/test"), Some(&json!({"lead": "<lead/>"}))).await.expect(200).json();
    assert_eq!((&tested["status"], &tested["exchange"]["lead_type"]), (&json!(200), &json!("application/xml")));
    world.api("POST", &format!("/{id}/test"), None).await.expect(200);
    let received = world.exchanges(&id).await;
    assert!(received[1]["lead"].as_str().unwrap().contains("test.lead@example.com"), "the sample");
}

both!(
    part_d_a_delivery_has_a_target_of_its_own,
    part_d_each_method_gets_a_lead_through,
    part_d_oauth_fetches_a_token_first,
    part_d_what_went_wrong_is_said,
    q9_the_strongest_algorithm_is_taken,
    q11_a_token_is_hidden_in_whatever_answer,
    q11_what_a_target_repeats_is_hidden,
);
