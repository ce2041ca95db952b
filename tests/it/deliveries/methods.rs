//! Basic, Bearer with a prefix and OAuth 2.0 at a receiver, and what is a lead.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadgate::services::throttle::Limits;
use serde_json::{Value, json};

use super::{JSON, LEAD, challenges, receiver};
use crate::support::http::{from_address, request};
use crate::support::{ADA, APP_ONE, Setup, World, both};

const STUDIO: &str = "studio";

fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// Q10: UTF-8, a colon in the password, and a challenge that says so.
async fn q10_basic_is_utf_8_and_the_first_colon_divides(world: World) {
    let id = world.delivery(json!({"method": "basic", "username": "jäger", "password": "a:b€"})).await;
    let challenge = format!("Basic realm=\"deliveries/{id}\", charset=\"UTF-8\"");
    for right in [basic("jäger:a:b€"), basic("jäger:a:b€").replace("Basic", "bAsIc")] {
        let answer = world.deliver(&id, Some(&right)).await.expect(200).json();
        assert_eq!(answer["received"], true);
    }
    for (wrong, status) in [
        (basic("jäger:a"), 401),
        (basic("jäger:a:b€x"), 401),
        (basic("jager:a:b€"), 401),
        (basic("jäger:a%3Ab€"), 401),
        (basic(b"j\xe4ger:a:b\x80"), 401),
        (basic("jäger"), 400),
        ("Basic ****".to_owned(), 400),
        ("Basic".to_owned(), 400),
        ("Bearer x".to_owned(), 401),
    ] {
        let answer = world.deliver(&id, Some(&wrong)).await.expect(status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        if status == 401 {
            assert_eq!(challenges(&answer), [challenge.as_str()], "{wrong}");
        }
    }
    assert_eq!(challenges(&world.deliver(&id, None).await.expect(401)), [challenge.as_str()]);
    let twice = [JSON, ("authorization", &basic("jäger:a:b€")), ("authorization", &basic("jäger:a:b€"))];
    world.send(request("POST", &receiver(&id), &twice, LEAD)).await.expect(400);
}

/// Q12: the configured prefix, in the header and at the beginning of the challenge.
async fn q12_a_token_comes_behind_its_prefix(world: World) {
    let id = world.delivery(json!({"method": "bearer", "prefix": "Token", "token": "s3cret-t0ken"})).await;
    let bare = format!("Token realm=\"deliveries/{id}\"");
    world.deliver(&id, Some("Token s3cret-t0ken")).await.expect(200);
    world.deliver(&id, Some("TOKEN s3cret-t0ken")).await.expect(200);
    for other in [None, Some("Bearer s3cret-t0ken"), Some("s3cret-t0ken"), Some("Tokens3cret-t0ken")] {
        assert_eq!(challenges(&world.deliver(&id, other).await.expect(401)), [bare.as_str()], "{other:?}");
    }
    for wrong in ["Token s3cret-t0kem", "Token x", "Token", "Token s3cret-t0ken x"] {
        let answer = world.deliver(&id, Some(wrong)).await.expect(401);
        assert_eq!(challenges(&answer), [format!("{bare}, error=\"invalid_token\"")], "{wrong}");
    }
    let plain = world.delivery(json!({"method": "bearer", "token": "s3cret-t0ken"})).await;
    world.deliver(&plain, Some("Bearer s3cret-t0ken")).await.expect(200);
}

async fn token(world: &World, app: &str, scope: &str) -> String {
    let body = json!({"user": ADA, "app": app, "scopes": [scope]});
    world.make("/tokens", &body).await.expect(200).json()["access_token"].as_str().unwrap().to_owned()
}

/// wire.md D: a token of this server, with the scope and of the client that the settings name.
async fn part_d_oauth_takes_a_token_of_this_server(world: World) {
    let any = world.delivery(json!({"method": "oauth2"})).await;
    let one = world.delivery(json!({"method": "oauth2", "client_id": APP_ONE})).await;
    let of_one = format!("Bearer {}", token(&world, APP_ONE, "lead_receiver").await);
    let of_two = format!("Bearer {}", token(&world, STUDIO, "lead_receiver").await);
    for (id, authorization, status) in
        [(&any, &of_one, 200), (&any, &of_two, 200), (&one, &of_one, 200), (&one, &of_two, 401)]
    {
        world.deliver(id, Some(authorization)).await.expect(status);
    }
    let narrow = format!("Bearer {}", token(&world, APP_ONE, "account_api").await);
    let answer = world.deliver(&any, Some(&narrow)).await.expect(403);
    assert!(challenges(&answer)[0].ends_with("error=\"insufficient_scope\", scope=\"lead_receiver\""));
    let bare = format!("Bearer realm=\"deliveries/{any}\"");
    assert_eq!(challenges(&world.deliver(&any, None).await.expect(401)), [bare.as_str()]);
    let answer = world.deliver(&any, Some("Bearer x")).await.expect(401);
    assert_eq!(challenges(&answer), [format!("{bare}, error=\"invalid_token\"")]);
    world.advance(3_600);
    world.deliver(&any, Some(&of_one)).await.expect(401);
    let why = world.exchanges(&any).await[0]["why"].clone();
    assert_eq!(why, "the access token expired");
}

/// wire.md D: what is no lead at all is 400; what is one is kept as it was sent.
async fn part_d_a_lead_is_json_a_form_or_xml(world: World) {
    let id = world.delivery(json!({"method": "basic", "username": "crm", "password": "right"})).await;
    let authorization = basic("crm:right");
    let send = async |kind: &str, body: Vec<u8>| {
        let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
        world.send(request("POST", &receiver(&id), &headers, body)).await
    };
    let form = "application/x-www-form-urlencoded";
    for (kind, body) in [
        ("application/json; charset=utf-8", "{ \"FirstName\" : \"Zoë\" }"),
        (form, "FirstName=Zo%C3%AB&Email="),
        ("text/xml", "<?xml version=\"1.0\"?>\n<lead><name>Zoë</name></lead>\n"),
        ("application/xml", "\u{feff}<lead/>"),
    ] {
        let answer = send(kind, body.into()).await.expect(200).json();
        let kept = world.exchanges(&id).await.remove(0);
        assert_eq!((&kept["lead"], &kept["id"], &kept["kind"]), (&json!(body), &answer["id"], &json!("received")));
        assert_eq!(kept["lead_type"], kind.split(';').next().unwrap());
    }
    for (kind, body) in [
        ("application/json", b"[]".to_vec()),
        ("application/json", b"{}".to_vec()),
        ("application/json", b"{\"a\":1".to_vec()),
        ("application/json", b"{\"a\":\"\xff\"}".to_vec()),
        (form, b"".to_vec()),
        (form, b"=x".to_vec()),
        (form, b"a=%zz".to_vec()),
        ("text/xml", b"lead".to_vec()),
        ("text/xml", b"<".to_vec()),
        ("text/plain", LEAD.into()),
        ("", LEAD.into()),
    ] {
        let answer = send(kind, body.clone()).await.expect(400);
        assert_eq!(answer.json()["error"], "invalid_request", "{kind} {body:?}");
        let kept = world.exchanges(&id).await.remove(0);
        assert_eq!((&kept["kind"], &kept["lead"], &kept["status"]), (&json!("refused"), &Value::Null, &json!(400)));
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    send("application/json", large[..256 * 1024].into()).await.expect(400);
    send("application/json", large.clone().into()).await.expect(413);
    send("application/json", format!("{{\"a\":\"{}\"}}", "x".repeat(200 * 1024)).into()).await.expect(200);
}

async fn part_d_what_is_not_there_is_404(world: World) {
    for id in ["01930000-0000-7000-8000-000000000000", "nothing", "%00"] {
        world.deliver(id, None).await.expect(404);
    }
    let id = world.delivery(json!({"method": "oauth2"})).await;
    let answer = world.get(&receiver(&id)).await.expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
}

/// What is refused has a reason in the journal, and shows no credentials.
async fn e_a_refusal_has_a_reason_and_shows_no_secret(world: World) {
    let id = world.delivery(json!({"method": "basic", "username": "crm", "password": "right-one-9"})).await;
    world.deliver(&id, Some(&basic("crm:wrong-one-7"))).await.expect(401);
    world.deliver(&id, Some(&basic("crm:right-one-9"))).await.expect(200);
    let journal = world.show("/requests?endpoint=receive").await.expect(200);
    assert_eq!(journal.json()["requests"][1]["why"]["rule"], "delivery.login");
    let exchanges = world.exchanges(&id).await;
    assert_eq!(exchanges[1]["why"], "the user name or the password is wrong");
    let text = format!("{}{exchanges:?}", journal.text());
    for secret in ["wrong-one-7", "right-one-9", &STANDARD.encode("crm:right-one-9")] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("Basic crm:***"), "{text}");
}

/// What a lead says of somebody is in no part of the journal, whatever its members are called.
async fn e_the_journal_holds_nothing_of_a_lead(world: World) {
    let id = world.delivery(json!({"method": "bearer", "token": "right"})).await;
    let lead =
        json!({"name": "Zuleika", "email": "zuleika@lead.test", "title": "Zuleika", "error": "Zuleika"}).to_string();
    let form = "name=Zuleika&email=zuleika%40lead.test";
    let (bearer, query) = (("authorization", "Bearer right"), "?name=Zuleika&email=zuleika%40lead.test");
    let kinds = [("application/json", lead.as_str()), ("application/x-www-form-urlencoded", form)];
    let mut sent = 0;
    for (kind, body) in kinds {
        for (path, more) in [
            (receiver(&id), bearer),
            (format!("{}{query}", receiver(&id)), bearer),
            (receiver(&id), ("authorization", "Bearer wrong")),
            (format!("{}/", receiver(&id)), bearer),
            ("/v2/insert/general".to_owned(), ("api-key", crate::leads::ACME_KEY)),
            (format!("/v2/insert/general{query}"), ("api-key", "wrong")),
            ("/v2/insert/generall".to_owned(), ("api-key", crate::leads::ACME_KEY)),
        ] {
            world.send(request("POST", &path, &[("content-type", kind), more], body.to_owned())).await;
            sent += 1;
        }
    }
    let list = world.show("/requests?limit=100").await.expect(200);
    let listed = list.json()["requests"].as_array().unwrap().clone();
    let har = world.show("/requests.har").await.expect(200);
    let mut shown = format!("{}{}", list.text(), har.text());
    for one in &listed {
        let path = format!("/requests/{}", one["id"].as_str().unwrap());
        shown.push_str(world.show(&path).await.expect(200).text());
    }
    assert!(listed.len() >= sent, "{} of {sent}", listed.len());
    assert!(!shown.to_lowercase().contains("zuleika"), "{shown}");
    assert!(shown.contains(&format!("({} bytes of application/json)", lead.len())), "{shown}");
}

/// The newest hundred of each kind are kept: refused ones do not push leads out.
async fn part_d_what_is_kept_is_bounded(world: World) {
    let id = world.delivery(json!({"method": "bearer", "token": "right"})).await;
    world.deliver(&id, Some("Bearer right")).await.expect(200);
    for _ in 0..105 {
        world.deliver(&id, None).await.expect(401);
    }
    let list = world.api("GET", &format!("/{id}/exchanges?limit=1000"), None).await.expect(200).json();
    let kinds: Vec<_> = list["exchanges"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!((kinds.len(), kinds.last()), (101, Some(&json!("received"))));
    let page = world.api("GET", &format!("/{id}/exchanges?limit=2"), None).await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    let rest = world.api("GET", &format!("/{id}/exchanges?after={next}&limit=1000"), None).await.expect(200).json();
    assert_eq!(rest["exchanges"].as_array().unwrap().len(), 99);
}

fn limited() -> Setup {
    Setup { limits: Limits { refusals: 3, ..Limits::NONE }, ..Setup::default() }
}

/// N12: guesses are bounded for each address, and who does not guess is not locked out.
async fn n12_guesses_at_a_receiver_are_bounded(world: World) {
    let id = world.delivery(json!({"method": "basic", "username": "crm", "password": "right"})).await;
    let from = async |address: u8, pair: &str| {
        let headers = [JSON, ("authorization", &basic(pair))];
        world.send(from_address(request("POST", &receiver(&id), &headers, LEAD), address)).await
    };
    for _ in 0..3 {
        from(1, "crm:wrong").await.expect(401);
    }
    let answer = from(1, "crm:wrong").await.expect(429);
    assert!(answer.header("retry-after").is_some());
    from(1, "crm:right").await.expect(429);
    from(2, "crm:right").await.expect(200);
}

both!(
    e_a_refusal_has_a_reason_and_shows_no_secret,
    e_the_journal_holds_nothing_of_a_lead,
    part_d_a_lead_is_json_a_form_or_xml,
    part_d_oauth_takes_a_token_of_this_server,
    part_d_what_is_kept_is_bounded,
    part_d_what_is_not_there_is_404,
    q10_basic_is_utf_8_and_the_first_colon_divides,
    q12_a_token_comes_behind_its_prefix,
);
both!(with super::limited(); n12_guesses_at_a_receiver_are_bounded);
