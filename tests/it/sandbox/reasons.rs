//! The journal's reasons (wire.md E): each refusal says which rule it was, on what, and what would have matched.

use std::sync::Arc;

use leadgate::domain::journal::{Entry, Outcome};
use leadgate::services::journal::{self, Query};
use serde_json::json;

use crate::oauth::support::{Ask, POCKET, RIVAL, STUDIO};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, APP_TWO, Click, GRACE, PARTNER, Tokens, World, both, connect_by_api};

/// The entry of the request that was answered last.
fn newest(world: &World) -> Arc<Entry> {
    world.ctx.journal.list(&Query { limit: Some(1), ..Query::default() }).pop().expect("nothing was recorded")
}

#[track_caller]
fn assert_why(world: &World, rule: &str, message: &str, nearest: Option<&str>) {
    let entry = newest(world);
    assert_eq!(entry.outcome, Outcome::Refused, "{entry:?}");
    let why = entry.why.clone().unwrap_or_else(|| panic!("no reason: {entry:?}"));
    assert_eq!((why.rule.as_ref(), why.message.as_str(), why.nearest.as_deref()), (rule, message, nearest));
}

async fn e_a_refused_refresh_says_why(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.refresh(&tokens.refresh, APP_ONE).await;
    let ok = newest(&world);
    assert_eq!((ok.outcome, ok.endpoint.as_str(), ok.status), (Outcome::Ok, "refreshaccesstoken", 200));
    assert_eq!((ok.app.as_ref().unwrap().as_str(), &ok.why), (APP_ONE, &None));

    world.refresh(&tokens.refresh, APP_TWO).await;
    let other = format!("this refresh token belongs to application {APP_ONE}");
    let whose = format!("application {APP_ONE}");
    assert_why(&world, "refresh_token.other_app", &other, Some(&whose));

    world.get(&format!("/authorize/refreshaccesstoken/{}", tokens.refresh)).await;
    assert_why(&world, "appid.missing", "`appid` is missing", None);
    world.refresh("lgr_nonsense", APP_ONE).await;
    assert_why(&world, "refresh_token.malformed", "the text does not have the form of a refresh token", None);

    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    world.advance(12);
    world.refresh(&tokens.refresh, APP_ONE).await;
    let gone = "the connection was ended by the application, by the disconnect call, 12 s ago";
    assert_why(&world, "connection.disconnected", gone, None);
    world.disconnect(&tokens.refresh).await;
    assert_why(&world, "connection.disconnected", gone, None);
}

/// "Revoked 12 s ago by the user on the account page", by the clock of the application.
async fn e_what_the_user_ended_says_so(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let account = ada.get("/account").await;
    let end = account.between("action=\"/account/connections/", "\"").unwrap().to_owned();
    let csrf = account.csrf();
    ada.post(&format!("/account/connections/{end}"), &[("csrf", &csrf)]).await.location();
    let ended = newest(&world);
    assert_eq!((ended.endpoint.as_str(), ended.user.as_deref()), ("disconnect", Some(ADA)));
    assert_eq!(ended.app.as_ref().unwrap().as_str(), APP_ONE);
    world.control("POST", "/clock", &json!({"app": APP_ONE, "advance": "12s"})).await.expect(200);
    world.refresh(&tokens.refresh, APP_ONE).await;
    let why = "the connection was ended by the user, on the account page, 12 s ago";
    assert_why(&world, "connection.ended_by_user", why, None);
    world.me(&tokens.access).await.expect(401);
    assert_why(&world, "connection.ended_by_user", why, None);
}

async fn e_an_expired_token_says_since_when(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.control("POST", "/clock", &json!({"app": APP_ONE, "advance": "1h3s"})).await.expect(200);
    world.me(&tokens.access).await.expect(401);
    assert_why(&world, "access_token.expired", "the access token expired, 3 s ago", None);
    let entry = newest(&world);
    assert_eq!((entry.app.as_ref().unwrap().as_str(), entry.user.as_deref()), (APP_ONE, Some(ADA)));
    assert_eq!(entry.app_at.since(entry.at).as_secs(), 3_603);
    world.me("lga_x").await;
    assert_why(&world, "access_token.malformed", "the token does not have the form of an access token", None);
    let body = json!({"user": GRACE, "button": "btn-wide", "decision": "allow", "scopes": ["data_api"]});
    let narrow = Tokens::of(&world.sandbox_authorize(&body).await.json());
    world.me(&narrow.access).await.expect(403);
    let message = "the access token was not granted the scope that this takes";
    assert_why(&world, "access_token.scope", message, Some("its scopes are: data_api"));
}

async fn e_a_button_has_a_nearest_one_and_an_origin_too(world: World) {
    let mut ada = world.actor();
    ada.get(&Click::on("btn-onr", PARTNER).address()).await.expect(400);
    assert_why(&world, "button.unknown", "there is no button with this id", Some("btn-one"));
    ada.get(&Click::on("btn-one", "http://partner.test").address()).await.expect(403);
    assert_why(&world, "button.origin", "the origin is not among the button's 3", Some("https://partner.test"));
    ada.fetch("https://partner.tset", "/button/resume", &json!({"btns": ["btn-one"]})).await.expect(403);
    let message = "no button is listed for the origin https://partner.tset";
    assert_why(&world, "button.origin", message, Some("https://partner.test"));
    ada.fetch(PARTNER, "/button/resume", &json!({"btns": ["btn-onr"]})).await.expect(200);
    assert_why(&world, "button.unknown", "there is no button with this id", None);
    ada.fetch(PARTNER, "/button/resume", &json!({"btns": ["btn-one"]})).await.expect(200);
    assert_eq!(newest(&world).outcome, Outcome::Ok, "a first visit is nothing that went wrong");

    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let mut elsewhere = opened.clone();
    elsewhere.click.btn = "btn-two".into();
    ada.redeem(&elsewhere, &code).await;
    assert_why(&world, "code.other_button", "the code belongs to another button", Some("button btn-one"));
    assert_eq!(ada.redeem(&opened, &code).await.json()["valid"], true);
    ada.redeem(&opened, &code).await;
    assert_why(&world, "code.used", "the code was used before", None);
    let (late, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world.advance(63);
    ada.redeem(&late, &code).await;
    assert_why(&world, "code.expired", "the code has expired, 3 s ago", None);
}

async fn e_the_standard_endpoints_say_why(world: World) {
    let ask = Ask::of(&STUDIO).with("redirect_uri", "https://studio.test/callback/");
    world.get(&ask.address()).await.expect(400);
    let exact = "this redirect_uri is not registered for the application; it is compared exactly";
    assert_why(&world, "redirect_uri.not_registered", exact, Some("https://studio.test/callback"));
    let unknown = Ask::of(&STUDIO).with("client_id", "studios");
    world.get(&unknown.address()).await;
    assert_why(&world, "client.unknown", "no application has this client_id", Some("studio"));

    let ask = Ask::of(&STUDIO).with("scope", "account_api");
    let code = ask.allowed(&world, ADA).await.code();
    RIVAL.redeem(&world, &ask, &code).await;
    let message = "the code belongs to another client; it stays good for its own";
    assert_why(&world, "code.other_app", message, Some("application studio"));
    let issued = STUDIO.connect(&world, ADA).await;
    let entry = newest(&world);
    assert_eq!((entry.endpoint.as_str(), entry.user.as_deref()), ("token", Some(ADA)));
    assert!(entry.connection.is_some() && entry.outcome == Outcome::Ok);
    RIVAL.refresh(&world, issued.refresh()).await;
    let message = "this refresh token belongs to another client";
    assert_why(&world, "refresh_token.other_app", message, Some("application studio"));
    let wrong = STUDIO.by(crate::oauth::support::Auth::Basic("wrong"));
    wrong.refresh(&world, issued.refresh()).await;
    assert_why(&world, "client.secret", "the client secret is wrong", None);
    POCKET.token(&world, &[("grant_type", "client_credentials")]).await;
    assert_eq!(newest(&world).why.clone().unwrap().rule, "error.unauthorized_client");
}

async fn e_a_login_says_to_the_sandbox_what_the_page_does_not(world: World) {
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.post_login(&opened, ADA, "wrong").await.expect(422);
    assert_why(&world, "user.password", "the password is not the user's", None);
    let entry = newest(&world);
    assert_eq!((entry.user.as_deref(), entry.endpoint.as_str()), (Some(ADA), "login"));
    ada.post_login(&opened, "nobody@acme.test", "wrong").await.expect(422);
    assert_why(&world, "user.unknown", "there is no user with this e-mail address", None);
    world.disable(ADA).await;
    ada.post_login(&opened, ADA, crate::support::PASSWORD).await.expect(422);
    assert_why(&world, "user.disabled", "the user is disabled", None);
}

/// A flow can be followed: the same flow from the click to the code, the same connection from there on.
async fn e_a_flow_leads_to_its_connection(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    world.refresh(&tokens.refresh, APP_ONE).await;
    world.me(&tokens.access).await;
    world.disconnect(&tokens.refresh).await;
    journal::learn_users(&world.ctx).await.unwrap();
    let all = world.ctx.journal.list(&Query { user: Some(ADA.into()), ..Query::default() });
    let decided = all.iter().find(|entry| entry.endpoint == "decision").unwrap();
    let (flow, connection) = (decided.flow.unwrap(), decided.connection.unwrap());
    let endpoints = |query: Query| -> Vec<String> {
        world.ctx.journal.list(&query).iter().rev().map(|entry| entry.endpoint.clone()).collect()
    };
    let of_flow = endpoints(Query { flow: Some(flow), ..Query::default() });
    assert_eq!(of_flow, ["authorize", "dialog", "dialog", "login", "dialog", "decision"]);
    let of_connection = endpoints(Query { connection: Some(connection), ..Query::default() });
    assert_eq!(of_connection, ["decision", "token", "refreshaccesstoken", "me", "disconnectapplicationtoken"]);
    let hers =
        endpoints(Query { user: Some(ADA.into()), endpoint: Some("refreshaccesstoken".into()), ..Query::default() });
    assert_eq!(hers.len(), 1, "known from the connection, which the hot path does not look up");
}

/// Whatever is refused, for whatever reason, has a rule and a sentence; what is ours alone is not in the journal.
async fn e_every_refusal_has_a_reason(world: World) {
    for route in leadgate::web::urls::route::ALL {
        let path = route.replace("{*token}", "lgr_x").replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
            for (kind, body) in [("application/json", "{"), ("application/x-www-form-urlencoded", "a=%"), ("x/y", "z")]
            {
                world.send(request(method, &path, &[("content-type", kind)], body)).await;
            }
        }
    }
    world.get("/authorize/refreshaccestoken/lgr_x?appid=y").await.expect(404);
    let lost = newest(&world);
    assert_eq!((lost.route.as_str(), lost.endpoint.as_str()), ("(none)", "(none)"));
    assert_eq!(lost.why.as_ref().unwrap().nearest.as_deref(), Some("/authorize/refreshaccesstoken/{*token}"));
    let all = world.ctx.journal.list(&Query::default());
    assert!(all.len() > 300, "{}", all.len());
    for entry in &all {
        let first = entry.route.split('/').nth(1).unwrap_or_default();
        assert!(!["_sandbox", "inspector", "static", "livez", "metrics", "readyz"].contains(&first), "{entry:?}");
        assert_eq!(entry.why.is_some(), entry.outcome != Outcome::Ok, "{entry:?}");
        assert!(entry.outcome != Outcome::Error, "{entry:?}");
        if let Some(why) = &entry.why {
            assert!(!why.rule.is_empty() && why.message.len() > 5, "{entry:?}");
        }
    }
    assert!(all.iter().any(|entry| entry.why.as_ref().is_some_and(|why| why.rule == "request.method")));
}

/// A client that gives up is the commonest fault of all; what was done for it is in the journal.
async fn e_what_a_client_did_not_wait_for_is_kept(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let late = json!([{"match": {"endpoint": "refreshaccesstoken"}, "when": "after", "effect": {"delay_ms": 20_000}}]);
    world.control("PUT", "/faults", &late).await.expect(200);
    let before = world.database.db_count("SELECT COUNT(*) FROM access_tokens").await;
    let issued = async {
        while world.database.db_count("SELECT COUNT(*) FROM access_tokens").await == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = world.refresh(&tokens.refresh, APP_ONE) => panic!("it was answered in time"),
        () = issued => {}
    }
    let entry = newest(&world);
    assert_eq!((entry.endpoint.as_str(), entry.status, entry.outcome), ("refreshaccesstoken", 0, Outcome::Fault));
    assert!(entry.connection.is_some() && entry.why.is_some(), "{entry:?}");
    world.control("DELETE", "/faults", &serde_json::Value::Null).await;
}

both! {
    e_what_a_client_did_not_wait_for_is_kept,
    e_a_refused_refresh_says_why,
    e_what_the_user_ended_says_so,
    e_an_expired_token_says_since_when,
    e_a_button_has_a_nearest_one_and_an_origin_too,
    e_the_standard_endpoints_say_why,
    e_a_login_says_to_the_sandbox_what_the_page_does_not,
    e_a_flow_leads_to_its_connection,
    e_every_refusal_has_a_reason,
}

/// Each reason that the code can give is explained in docs/reasons.md, and nothing else is.
#[test]
fn e_each_reason_is_explained() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut given = std::collections::BTreeSet::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let code = text.split("#[cfg(test)]").next().unwrap();
            // In the table of reasons every text with a dot between two words is one, elsewhere those that are noted.
            let is_table = ["services/reason/table.rs", "services/oauth/error.rs", "web/journal.rs"];
            let is_table = is_table.iter().any(|name| path.ends_with(name));
            for (at, literal) in code.split('"').enumerate().filter(|(nth, _)| nth % 2 == 1) {
                let before = code.split('"').nth(at - 1).unwrap();
                let words: Vec<&str> = literal.split('.').collect();
                let is_name = words.len() == 2
                    && words
                        .iter()
                        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
                if is_name && (is_table || before.trim_end().ends_with("Why::new(")) {
                    given.insert(literal.to_owned());
                }
            }
        }
    }
    given.insert("fault".into());
    given.insert(journal::note::ABANDONED.into());
    given.retain(|name| !["favicon.ico", "rule.name"].contains(&name.as_str()));
    assert!(given.len() > 100, "{given:?}");
    let text = std::fs::read_to_string(root.join("docs/reasons.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed = text.split('`').filter(|word| word.starts_with("error."));
    let explained: std::collections::BTreeSet<String> =
        rows.chain(listed).filter(|name| *name != "error.").map(str::to_owned).collect();
    assert_eq!(given, explained);
}
