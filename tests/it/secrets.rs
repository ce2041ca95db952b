//! What must not be found where it is not given out: in the log (N5), in the database and its back-up (R9).

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::support::http::{escape, form, request};
use crate::support::{
    ADA, APP_ONE, APP_TWO, Click, GRACE, PARTNER, PASSWORD, SANDBOX_TOKEN, Setup, Tokens, World, both,
};

/// A password that is in no source but here.
const TYPED: &str = "wrong-pa55word-typed-by-mistake";
const CALLBACK: &str = "callbackOfTheSecretsTest";

fn setup() -> Setup {
    let ada = "email = \"ada@acme.test\"\npassword_hash = \"@HASH@\"";
    Setup::default().with(ada, &format!("email = \"ada@acme.test\"\npassword = \"{PASSWORD}\""))
}

/// A run through everything that has to do with a secret, well and badly used; answers the secrets.
async fn run(world: &World) -> Vec<String> {
    let mut secrets: Vec<String> =
        [PASSWORD, TYPED, SANDBOX_TOKEN, "rate-finder-client-secret"].map(str::to_owned).into();
    secrets.push("3f0f1c1e-0000-4000-8000-000000000001".to_owned());
    for engine in [&STANDARD, &STANDARD_NO_PAD] {
        secrets.push(engine.encode(world.setup.master_key));
    }
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    secrets.push(ada.get(&opened.path).await.csrf());
    ada.post_login(&opened, ADA, TYPED).await.expect(422);
    let consent = ada.log_in(&opened, ADA).await.expect(200);
    secrets.push(consent.csrf());
    let code = ada.decide(&opened, &consent, "allow").await.code();
    let tokens = Tokens::of(&ada.redeem(&opened, &code).await.json());
    ada.redeem(&opened, &code).await.expect(200);
    secrets.extend([code, opened.click.verifier.clone(), tokens.refresh.clone(), tokens.access.clone()]);
    let (burnt, burnt_code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let body = json!({"btn": "btn-one", "code": burnt_code, "code_verifier": "wrong-verifier-".repeat(4)});
    ada.fetch(PARTNER, "/button/token", &body).await.expect(200);
    secrets.extend([burnt_code, burnt.click.verifier, "wrong-verifier-".repeat(4)]);
    secrets.extend(["_session_", "_button_", "_browser_", "leadgate_r_"].map(|part| ada.jar.value(part).unwrap()));
    let resumed = Tokens::of(&ada.resume(PARTNER, &["btn-one"]).await["btn-one"]);
    secrets.extend([resumed.access, ada.jar.value("leadgate_r_").unwrap()]);

    let webhook = world.webhook("http://127.0.0.1:9/").await;
    world.plane("POST", &format!("/webhooks/{}/test", webhook.id), None).await.expect(202);
    secrets.extend([webhook.secret.trim_start_matches("whsec_").to_owned(), webhook.secret]);

    for _ in 0..20 {
        let refreshed = world.refresh(&tokens.refresh, APP_ONE).await.json();
        secrets.push(refreshed["authToken"].as_str().unwrap().to_owned());
        world.refresh(&tokens.refresh, APP_TWO).await.expect(200);
        world.refresh(&tokens.refresh, &APP_ONE.to_uppercase()).await.expect(200);
        world.refresh(&format!("{}x", tokens.refresh), APP_ONE).await.expect(200);
        world
            .send(request("POST", &format!("/authorize/refreshaccesstoken/{}", tokens.refresh), &[], ""))
            .await
            .expect(405);
        world.get(&format!("/authorize/Refresh/{}", tokens.refresh)).await.expect(404);
        world.get(&format!("/{}", tokens.refresh)).await.expect(404);
    }
    world.me(&tokens.access).await.expect(200);
    world.me(&format!("{}x", tokens.access)).await.expect(401);
    let granted =
        world.sandbox_authorize(&json!({"user": GRACE, "button": "btn-wide", "decision": "allow"})).await.json();
    let granted = Tokens::of(&granted);
    world.post_json("/_sandbox/authorize", &[("authorization", &format!("Bearer {SANDBOX_TOKEN}x"))], &json!({})).await;
    world
        .get(&format!("/authorize/disconnectapplicationtoken/{}?callback={CALLBACK}", tokens.refresh))
        .await
        .expect(200);
    world
        .get(&format!("/authorize/disconnectapplicationtoken/{}?callback={CALLBACK}(", tokens.refresh))
        .await
        .expect(400);
    let by_form = form(&[("token", &granted.refresh)]);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    world.send(request("POST", "/authorize/disconnect", &kind, by_form)).await.expect(200);
    world.me(&granted.access).await.expect(401);
    secrets.extend([granted.refresh, granted.access, CALLBACK.to_owned()]);
    secrets.extend(register(world).await);
    secrets.extend(crate::oauth::secrets::run(world, TYPED).await);
    secrets.extend(crate::deliveries::secrets::run(world, TYPED).await);
    let page = ada.get("/account").await;
    secrets.push(page.csrf());
    ada.post("/logout", &[("csrf", &page.csrf())]).await.location();
    secrets
}

/// A client that registers itself and looks after that; answers what it was given.
async fn register(world: &World) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let bearer = |token: &str| [("authorization", format!("Bearer {token}"))];
    let send = async |method, path: &str, token: &str, body: &Value| {
        let authorization = bearer(token);
        let headers = [("authorization", authorization[0].1.as_str()), ("content-type", "application/json")];
        world.send(request(method, path, &headers, body.to_string())).await
    };
    let made = send("POST", "/_sandbox/registration-tokens", SANDBOX_TOKEN, &json!({})).await.expect(201).json();
    let initial = text(&made["token"]);
    let metadata = json!({"grant_types": ["client_credentials"]});
    let client = send("POST", "/oauth/register", &initial, &metadata).await.expect(201).json();
    let (secret, token) = (text(&client["client_secret"]), text(&client["registration_access_token"]));
    let path = format!("/oauth/register/{}", text(&client["client_id"]));
    send("POST", "/oauth/register", &token, &metadata).await.expect(401);
    send("GET", &path, &initial, &json!({})).await.expect(401);
    let update = json!({"client_id": client["client_id"], "client_secret": secret, "grant_types": ["password"]});
    send("PUT", &path, &token, &update).await.expect(200);
    let wrong = json!({"client_id": client["client_id"], "client_secret": TYPED});
    send("PUT", &path, &token, &wrong).await.expect(400);
    vec![initial, secret, token]
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// N5, G7: nothing of it is in the log, at its most talkative, spans and libraries included; what is needed to
/// follow a token is.
async fn n5_no_secret_is_in_the_log(world: World) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let secrets = run(&world).await;
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/authorize/refreshaccesstoken/{*token}"), "the route's template is there");
    let refresh = secrets.iter().find(|secret| secret.starts_with("lgr_")).unwrap();
    assert!(log.contains(&leadgate::crypto::token::fingerprint(refresh)), "and the token's fingerprint: {log}");
    for secret in &secrets {
        for form in [secret.clone(), escape(secret), STANDARD.encode(secret)] {
            let line = log.lines().find(|line| line.contains(&form));
            assert!(line.is_none(), "{secret} is in the log: {}", line.unwrap_or_default());
        }
    }
}

fn holds(dump: &[u8], needle: &[u8]) -> bool {
    let hex: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
    dump.windows(needle.len()).any(|window| window == needle)
        || dump.windows(hex.len()).any(|window| window.eq_ignore_ascii_case(hex.as_bytes()))
}

/// R9: a dump of the database, SQLite's write-ahead log included, holds no secret, neither written nor raw.
async fn r9_no_secret_is_in_the_database(world: World) {
    let secrets = run(&world).await;
    let dump = world.database.db_dump().await;
    assert!(holds(&dump, b"ada@acme.test") && holds(&dump, b"$argon2id$"), "the test's own premise");
    for secret in secrets.iter().filter(|secret| *secret != CALLBACK) {
        assert!(!holds(&dump, secret.as_bytes()), "{secret} is in the database");
        // `lg?_`, then the row's id and 32 secret bytes (of a refresh token: its MAC).
        if let Some(raw) = secret.get(4..).and_then(|body| URL_SAFE_NO_PAD.decode(body).ok())
            && raw.len() >= 48
        {
            assert!(!holds(&dump, &raw[raw.len() - 32..]), "the secret part of {secret} is in the database");
            // Its id is there: the search finds raw bytes. A browser that has not signed in has no row, the token of a
            // client's registration none of its own, and in a rotating token the generation stands before the MAC.
            let id = uuid::Uuid::from_slice(&raw[raw.len() - 48..raw.len() - 32]).unwrap();
            let is_there = holds(&dump, id.as_bytes()) || holds(&dump, id.to_string().as_bytes());
            assert!(["lgb_", "lgm_", "lgf_"].iter().any(|kind| secret.starts_with(kind)) || is_there, "{secret}");
        }
    }
    // Object identifiers that each PKCS #8 key on P-256 begins with: it would not be sealed.
    let begin = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d];
    assert!(!holds(&dump, &begin), "a private key is in the database");
}

/// Nothing of it is in the journal either: in no list, no exchange, no archive, no line for a shell, no stream.
async fn e_no_secret_is_in_the_journal(world: World) {
    let secrets = run(&world).await;
    let read = async |path: &str| world.control("GET", path, &Value::Null).await.expect(200);
    let list = read("/requests?limit=5000").await;
    let mut dump = vec![list.text().to_owned(), read("/requests.har").await.text().to_owned()];
    let requests = list.json()["requests"].as_array().unwrap().clone();
    assert!(requests.len() > 150, "the test's own premise: {}", requests.len());
    for request in &requests {
        dump.push(read(&format!("/requests/{}", request["id"].as_str().unwrap())).await.text().to_owned());
    }
    let host = [("host", "auth.test"), ("content-type", "application/x-www-form-urlencoded")];
    let opened = request("POST", "/inspector/session", &host, form(&[("token", SANDBOX_TOKEN)]));
    let opened = world.send(opened).await;
    let cookie = opened.set_cookies()[0].split(';').next().unwrap().to_owned();
    // The stream has an end once the journal is closed, and what there was before it.
    world.ctx.journal.close();
    let stream = request("GET", "/inspector/events", &[host[0], ("cookie", &cookie)], "");
    dump.push(world.send(stream).await.expect(200).text().to_owned());
    let refresh = secrets.iter().find(|secret| secret.starts_with("lgr_")).unwrap();
    let fingerprint = leadgate::crypto::token::fingerprint(refresh);
    assert!(dump.iter().any(|text| text.contains(&fingerprint)), "a token is told from another by its fingerprint");
    // The name of a function of the page's is no secret: here it is shown.
    for secret in secrets.iter().filter(|secret| *secret != CALLBACK) {
        for form in [secret.clone(), escape(secret), STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)] {
            let text = dump.iter().find(|text| text.contains(&form));
            assert!(text.is_none(), "{secret} is in the journal: {}", text.unwrap());
        }
    }
}

both! {
    with super::setup();
    n5_no_secret_is_in_the_log, r9_no_secret_is_in_the_database, e_no_secret_is_in_the_journal
}
