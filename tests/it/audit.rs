//! The event log: every change is in it with who, when, from where and what, whichever way it came (rule R14).

use leadgate::domain::event::{Action, Actor as EventActor, Event, TargetKind};
use leadgate::domain::ids::AppId;
use leadgate::domain::signing_algorithm::SigningAlgorithm;
use leadgate::services::{audit, keys, partner};
use leadgate::store::events::Filter;
use serde_json::json;

use crate::oauth::support::register;
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, APP_ONE, APP_TWO, PARTNER, World, both};

async fn events(world: &World, filter: Filter) -> Vec<Event> {
    audit::list(&world.ctx, filter, 100).await.unwrap()
}

async fn newest(world: &World) -> Event {
    events(world, Filter::default()).await.swap_remove(0)
}

/// Objects of each kind over the control plane: what was made, what is different, what is gone.
async fn r14_every_change_of_an_object_is_recorded(world: World) {
    let changes = [
        ("POST", "/accounts", json!({"id": "globex", "name": "Globex"}), Action::AccountCreated, "globex"),
        ("PATCH", "/accounts/globex", json!({"name": "Globex Inc."}), Action::AccountChanged, "globex"),
        ("DELETE", "/accounts/globex", json!(null), Action::AccountDeleted, "globex"),
        ("POST", "/apps", json!({"id": "new", "name": "New"}), Action::AppCreated, "new"),
        ("PATCH", "/apps/new", json!({"name": "Newer"}), Action::AppChanged, "new"),
        ("POST", "/buttons", json!({"id": "b", "app": "new", "origins": [PARTNER]}), Action::ButtonCreated, "b"),
        ("PATCH", "/buttons/b", json!({"origins": ["https://b.test"]}), Action::ButtonChanged, "b"),
        ("DELETE", "/buttons/b", json!(null), Action::ButtonDeleted, "b"),
        ("DELETE", "/apps/new", json!(null), Action::AppDeleted, "new"),
    ];
    for (method, path, body, action, target) in changes {
        let body = Some(&body).filter(|body| !body.is_null());
        let answer = world.plane(method, path, body).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        let event = newest(&world).await;
        assert_eq!((event.action, event.target.id.as_str()), (action, target), "{method} {path}");
        assert_eq!((event.actor, event.at), (EventActor::ControlPlane, world.ctx.now()));
    }
    let changed = events(&world, Filter { action: Some(Action::AppChanged), ..Filter::default() }).await.remove(0);
    let change = &changed.changes[0];
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    assert_eq!((change.field.as_str(), before, after), ("name", Some("New"), Some("Newer")));
    // What comes to the same as before is no event.
    world.plane("PATCH", &format!("/apps/{APP_ONE}"), Some(&json!({}))).await.expect(200);
    assert_eq!(newest(&world).await.action, Action::AppDeleted);
    // Nor is what was refused.
    world.plane("POST", "/apps", Some(&json!({"id": APP_ONE, "name": "Again"}))).await.expect(409);
    assert_eq!(newest(&world).await.action, Action::AppDeleted);
}

/// Who, and from where: a person at the address that the request came from, an operator at the machine, a client that
/// looks after itself.
async fn r14_an_event_says_who_and_from_where(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    let page = ada.get("/account").await.expect(200);
    let (_, path) = page.text().split_once("action=\"/account/connections/").unwrap();
    let path = format!("/account/connections/{}", path.split('"').next().unwrap());
    let body = form(&[("csrf", &page.csrf())]);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    ada.send(None, from_address(request("POST", &path, &headers, body), 7)).await.expect(303);
    let event = newest(&world).await;
    assert_eq!((event.action, event.target.name.as_str()), (Action::ConnectionEnded, "Rate Finder"));
    assert!(matches!(&event.actor, EventActor::User { email, .. } if email.as_str() == ADA), "{event:?}");
    assert_eq!(event.from.map(|from| from.to_string()).as_deref(), Some("192.0.2.7"));

    keys::rotate(&world.operator(), SigningAlgorithm::Es256).await.unwrap();
    let event = newest(&world).await;
    assert_eq!((event.action, event.target.name.as_str()), (Action::KeysRotated, "ES256"));
    assert_eq!((event.actor, event.from), (EventActor::CommandLine { login: "tests".to_owned() }, None));

    let registered = register(&world, &json!({"redirect_uris": ["https://new.test/cb"]})).await.expect(201).json();
    let event = newest(&world).await;
    assert_eq!((event.action, event.actor), (Action::AppCreated, EventActor::Client { id: None }));
    let id = AppId::parse(registered["client_id"].as_str().unwrap()).unwrap();
    let management = format!("Bearer {}", registered["registration_access_token"].as_str().unwrap());
    let path = format!("/oauth/register/{id}");
    world.send(request("DELETE", &path, &[("authorization", &management)], "")).await.expect(204);
    let event = newest(&world).await;
    assert_eq!((event.action, event.actor), (Action::AppDeleted, EventActor::Client { id: Some(id) }));
}

/// An operation that is undone leaves no event; one that is lost in a race leaves one.
async fn r14_what_did_not_happen_is_not_recorded(world: World) {
    let (one, missing) = (AppId::parse(APP_ONE).unwrap(), AppId::parse("nobody").unwrap());
    partner::delete_app(&world.operator(), &missing).await.unwrap_err();
    partner::enable_app(&world.operator(), &one).await.unwrap();
    assert!(!partner::revoke_previous_secret(&world.operator(), &one).await.unwrap());
    let about = Filter { kind: Some(TargetKind::App), ..Filter::default() };
    assert_eq!(events(&world, about.clone()).await, []);
    let other = world.another_node().await;
    let (here, there) = (world.operator(), other.operator());
    let (first, second) = tokio::join!(partner::disable_app(&here, &one), partner::disable_app(&there, &one));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(events(&world, about).await.len(), 1);
}

/// Newest first, by pages, by what and by whom; the audit log leaves out what is no change.
async fn r14_the_log_is_filtered_and_paged(world: World) {
    world.actor().connect("btn-one", PARTNER, ADA).await;
    for _ in 0..3 {
        for app in [APP_ONE, APP_TWO] {
            partner::disable_app(&world.operator(), &AppId::parse(app).unwrap()).await.unwrap();
            partner::enable_app(&world.operator(), &AppId::parse(app).unwrap()).await.unwrap();
        }
    }
    let one = Filter { target: Some(APP_ONE.to_owned()), actor: Some("tests".to_owned()), ..Filter::default() };
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = audit::list(&world.ctx, Filter { before, ..one.clone() }, 4).await.unwrap();
        before = page.last().map(|event| event.id);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted_by(|newer, older| newer.id > older.id));
    let disabled = Filter { action: Some(Action::AppDisabled), ..one.clone() };
    assert_eq!(events(&world, disabled).await.len(), 3);
    for nobody in
        [Filter { actor: Some(ADA.to_owned()), ..one.clone() }, Filter { kind: Some(TargetKind::User), ..one }]
    {
        assert_eq!(events(&world, nobody).await, []);
    }
    let later = Filter { since: Some(world.ctx.now().plus(std::time::Duration::from_secs(1))), ..Filter::default() };
    assert_eq!(events(&world, later).await, []);
    let audit = events(&world, Filter { changes_only: true, ..Filter::default() }).await;
    assert!(!audit.is_empty() && audit.iter().all(|event| event.action.is_change()));
}

both! {
    r14_every_change_of_an_object_is_recorded,
    r14_an_event_says_who_and_from_where,
    r14_what_did_not_happen_is_not_recorded,
    r14_the_log_is_filtered_and_paged,
}
