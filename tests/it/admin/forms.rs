//! Each form of the administration, the console, the settings and the account pages: it needs a session, its token, our own
//! page, and leaves an event. A route that takes a form and is not in the table fails.

use leadgate::web::urls::route;
use serde_json::json;

use super::support::ROOT;
use crate::console::{APP, BUTTON, logos, with};
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, APP_TWO, Actor, GRACE, PASSWORD, World, both, connect_by_api};

/// What a form is posted with, who posts it, and what it leaves in the log.
struct Case {
    who: &'static str,
    route: &'static str,
    /// For the gaps of the route, in order.
    ids: Vec<String>,
    fields: Vec<(&'static str, &'static str)>,
    action: &'static str,
}

fn one(
    who: &'static str,
    route: &'static str,
    ids: &[&str],
    fields: &[(&'static str, &'static str)],
    action: &'static str,
) -> Case {
    Case { who, route, ids: ids.iter().map(|id| (*id).to_owned()).collect(), fields: fields.to_vec(), action }
}

impl Case {
    fn path(&self) -> String {
        let mut path = self.route.to_owned();
        for id in &self.ids {
            let (before, rest) = path.split_once('{').unwrap();
            path = format!("{before}{id}{}", rest.split_once('}').unwrap().1);
        }
        assert!(!path.contains('{'), "{path}");
        path
    }

    fn with<'a>(&self, csrf: &'a str) -> Vec<(&'a str, &'a str)> {
        std::iter::once(("csrf", csrf)).chain(self.fields.iter().copied()).collect()
    }
}

/// What the administration is asked for, in an order in which each can be done.
async fn of_administrators(world: &World, root: &mut Actor) -> Vec<Case> {
    let spare_id = world.make_user("spare@acme.test", "partner").await;
    let user = [spare_id.as_str()];
    connect_by_api(world, GRACE, "btn-one").await;
    let list = root.get(&format!("/admin/connections?user={GRACE}")).await;
    let connection = list.between("href=\"/admin/connections/", "/end\"").unwrap().to_owned();
    root.submit(route::ADMIN_NEW_INVITATION, &[("email", "guest@acme.test"), ("role", "member")]).await.expect(200);
    let list = root.get("/admin/invitations").await;
    let invitation = list.between("/admin/invitations/", "/revoke").unwrap().to_owned();
    let page = root.get("/admin/accounts/acme").await;
    let key = page.between("/admin/accounts/acme/keys/", "/remove").unwrap().to_owned();
    let spare = [("email", "spare@acme.test"), ("name", "Spare"), ("account", "acme"), ("role", "member")];
    let fresh = [("email", "fresh@acme.test"), ("name", "Fresh"), ("account", "acme"), ("role", "member")];
    let case = |route, ids: &[&str], fields: &[_], action| one(ROOT, route, ids, fields, action);
    vec![
        case(route::ADMIN_NEW_ACCOUNT, &[], &[("name", "Made"), ("id", "made")], "account.created"),
        case(route::ADMIN_ACCOUNT_EDIT, &["acme"], &[("name", "Renamed")], "account.changed"),
        case(route::ADMIN_ACCOUNT_ADD_KEY, &["acme"], &[], "account.changed"),
        case(route::ADMIN_ACCOUNT_REMOVE_KEY, &["acme", &key], &[], "account.changed"),
        case(route::ADMIN_ACCOUNT_REPLACE_KEYS, &["acme"], &[], "account.changed"),
        case(route::ADMIN_ACCOUNT_DELETE, &["made"], &[], "account.deleted"),
        case(route::ADMIN_NEW_USER, &[], &fresh, "user.created"),
        case(route::ADMIN_USER_EDIT, &user, &spare, "user.changed"),
        case(route::ADMIN_USER_RESET, &user, &[], "user.reset_offered"),
        case(route::ADMIN_USER_SIGN_OUT, &user, &[], "session.all_ended"),
        case(route::ADMIN_USER_DISABLE, &user, &[], "user.disabled"),
        case(route::ADMIN_USER_ENABLE, &user, &[], "user.enabled"),
        case(route::ADMIN_USER_DELETE, &user, &[], "user.deleted"),
        case(route::ADMIN_NEW_INVITATION, &[], &[("email", "new@acme.test"), ("role", "member")], "user.invited"),
        case(route::ADMIN_INVITATION_REVOKE, &[&invitation], &[], "user.invitation_revoked"),
        case(route::ADMIN_CONNECTION_END, &[&connection], &[], "connection.ended"),
        case(route::ADMIN_APP_OWNER, &[APP_ONE], &[("owner", GRACE)], "app.changed"),
        case(route::ADMIN_APP_DISABLE, &[APP_ONE], &[], "app.disabled"),
        case(route::ADMIN_APP_ENABLE, &[APP_ONE], &[], "app.enabled"),
        case(route::ADMIN_APP_DELETE, &[APP_TWO], &[], "app.deleted"),
        case(route::ADMIN_KEYS_ROTATE, &[], &[("algorithm", "EdDSA")], "keys.rotated"),
    ]
}

/// The same of the console and of Settings > API.
async fn of_partners(world: &World, ada: &mut Actor) -> Vec<Case> {
    let webhook = json!({"app": "studio", "url": "http://localhost:9/"});
    let webhook = world.make("/webhooks", &webhook).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let sent = world.plane("POST", &format!("/webhooks/{webhook}/test"), None).await.expect(202).json();
    let (webhook, message) = ([webhook.as_str()], [webhook.as_str(), sent["id"].as_str().unwrap()]);
    let target = [("url", "http://localhost:9/hooks")];
    let span = [("since", "2026-11-22T09:00:00Z"), ("until", "2026-11-22T09:10:00Z")];
    assert_eq!(logos::upload(ada, &logos::picture(image::ImageFormat::Png)).await.status, 303);
    let app = with(&APP, &[("redirect_uris", "https://radar.test/callback")]);
    let button = with(&BUTTON, &[("id", "btn-r14")]);
    let other = with(&BUTTON, &[("theme", "light")]);
    // Nobody is there to be asked.
    let callback = [("url", "http://localhost:1/callback"), ("on_failure", "allow")];
    let client = [("name", "Reports"), ("kind", "connector"), ("callback", "https://reports.test/callback")];
    let delivery = [("method", "bearer"), ("name", "Leads"), ("prefix", "Token"), ("token", "t0ken")];
    let made = ada.submit("/console/deliveries/new?method=bearer", &delivery).await;
    let made = made.location().split(['/', '?']).nth(3).unwrap().to_owned();
    let made = [made.as_str()];
    let case = |route, ids: &[&str], fields: &[_], action| one(ADA, route, ids, fields, action);
    vec![
        case(route::CONSOLE_DELIVERY_NEW, &[], &delivery, "delivery.created"),
        case(route::CONSOLE_DELIVERY_EDIT, &made, &delivery, "delivery.changed"),
        case(route::CONSOLE_DELIVERY_TEST, &made, &[("lead", "{\"a\":1}")], "delivery.tested"),
        case(route::CONSOLE_DELIVERY_DELETE, &made, &[], "delivery.deleted"),
        case(route::CONSOLE_APP_NEW, &[], &app, "app.created"),
        case(route::CONSOLE_APP_EDIT, &["studio"], &app, "app.changed"),
        case(route::CONSOLE_APP_SECRET, &["studio"], &[("overlap", "1h")], "app.secret_rotated"),
        case(route::CONSOLE_APP_SECRET_PREVIOUS, &["studio"], &[], "app.secret_revoked"),
        case(route::CONSOLE_APP_LOGO_REMOVE, &["studio"], &[], "app.logo_removed"),
        case(route::CONSOLE_BUTTON_NEW, &["studio"], &button, "button.created"),
        case(route::CONSOLE_BUTTON_EDIT, &["btn-r14"], &other, "button.changed"),
        case(route::CONSOLE_BUTTON_DELETE, &["btn-r14"], &[], "button.deleted"),
        case(route::CONSOLE_APP_CALLBACK, &["studio"], &callback, "app.callback_set"),
        case(route::CONSOLE_APP_CALLBACK_TEST, &["studio"], &[], "app.callback_tested"),
        case(route::CONSOLE_APP_CALLBACK_ROTATE, &["studio"], &[], "app.callback_secret_rotated"),
        case(route::CONSOLE_APP_CALLBACK_REMOVE, &["studio"], &[], "app.callback_removed"),
        case(route::CONSOLE_WEBHOOK_NEW, &["studio"], &target, "webhook.created"),
        case(route::CONSOLE_WEBHOOK_EDIT, &webhook, &target, "webhook.changed"),
        case(route::CONSOLE_WEBHOOK_SECRET, &webhook, &[("overlap", "1h")], "webhook.secret_rotated"),
        case(route::CONSOLE_WEBHOOK_TEST, &webhook, &[], "webhook.tested"),
        case(route::CONSOLE_WEBHOOK_REPLAY, &webhook, &span, "webhook.replayed"),
        case(route::CONSOLE_WEBHOOK_MESSAGE_REPLAY, &message, &[], "webhook.replayed"),
        case(route::CONSOLE_WEBHOOK_DELETE, &webhook, &[], "webhook.deleted"),
        case(route::CONSOLE_APP_DELETE, &["studio"], &[("name", "Lead Radar")], "app.deleted"),
        case(route::SETTINGS_API, &[], &client, "app.created"),
    ]
}

/// The same of one's own account; what changes the session comes last.
async fn of_users(world: &World, ada: &mut Actor) -> Vec<Case> {
    connect_by_api(world, ADA, "btn-two").await;
    let page = ada.get("/account").await;
    let connection = page.between("/account/connections/", "/disconnect").unwrap().to_owned();
    for _ in 0..2 {
        world.signed_in(ADA).await;
    }
    let page = ada.get("/account/sessions").await;
    let session = page.between("\"/account/sessions/", "/end\"").unwrap().to_owned();
    let password = [
        ("present_password", PASSWORD),
        ("new_password", "quite another one"),
        ("new_password_again", "quite another one"),
    ];
    let case = |route, ids: &[&str], fields: &[_], action| one(ADA, route, ids, fields, action);
    vec![
        case(route::ACCOUNT_PROFILE, &[], &[("name", "Ada King"), ("account_name", "Acme")], "user.changed"),
        case(route::ACCOUNT_DISCONNECT, &[&connection], &[], "connection.ended"),
        case(route::ACCOUNT_SESSION_END, &[&session], &[], "session.ended"),
        case(route::ACCOUNT_SESSIONS_END, &[], &[], "session.all_ended"),
        case(route::ACCOUNT_PASSWORD, &[], &password, "user.password_changed"),
    ]
}

/// Whether an address takes forms at all.
async fn takes_forms(world: &World, route: &str) -> bool {
    let path =
        route.split('/').map(|word| if word.starts_with('{') { "x" } else { word }).collect::<Vec<_>>().join("/");
    world.actor().post(&path, &[]).await.status != 405
}

/// R14, C7: each form that changes something.
async fn r14_c7_each_form_is_guarded_and_leaves_an_event(world: World) {
    let mut root = world.admin().await;
    let (mut ada, mut grace) = (world.signed_in(ADA).await, world.signed_in(GRACE).await);
    let mut cases = of_users(&world, &mut ada).await;
    let last = cases.pop().unwrap();
    cases.extend(of_partners(&world, &mut ada).await);
    cases.extend(of_administrators(&world, &mut root).await);
    cases.push(last);
    let others = grace.get("/account").await.csrf();
    for case in &cases {
        let (path, action) = (case.path(), format!("action={}", case.action));
        let actor = if case.who == ROOT { &mut root } else { &mut ada };
        let csrf = actor.get("/account").await.csrf();
        let before = world.log(&mut world.signed_in(ROOT).await, &action).await.len();
        world.actor().post(&path, &case.with("x")).await.expect(403);
        for wrong in [case.with(""), case.with("x"), case.with(&others), case.fields.clone()] {
            actor.post(&path, &wrong).await.expect(403);
        }
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        actor.send(None, request("POST", &path, &headers, form(&case.with(&csrf)))).await.expect(403);
        if case.who == ROOT || !case.ids.is_empty() {
            let theirs = case.with(&others);
            grace.post(&path, &theirs).await.expect(404);
        }
        assert_eq!(
            world.log(&mut world.signed_in(ROOT).await, &action).await.len(),
            before,
            "{path}: nothing was done"
        );
        let done = actor.post(&path, &case.with(&csrf)).await;
        assert!([200, 303].contains(&done.status), "{path}: {} {}", done.status, done.text());
        let log = world.log(&mut world.signed_in(ROOT).await, &action).await;
        assert_eq!(log.len(), before + 1, "{path}");
        assert_eq!(log[0]["actor"]["name"], case.who, "{path}");
    }
    for route in route::ALL.iter().filter(|route| SURFACES.iter().any(|surface| is_below(route, surface))) {
        let is_known = cases.iter().any(|case| case.route == *route) || ELSEWHERE.contains(route);
        assert_eq!(takes_forms(&world, route).await, is_known, "{route}");
    }
}

fn is_below(route: &str, surface: &str) -> bool {
    route.strip_prefix(surface).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where every form has to be known here.
const SURFACES: [&str; 4] = ["/account", "/admin", "/console", "/settings"];
/// Those whose own tests say what they need: signing in has no session yet, a logo comes as a file.
const ELSEWHERE: [&str; 2] = [route::ACCOUNT_LOGIN, route::CONSOLE_APP_LOGO];

both! { r14_c7_each_form_is_guarded_and_leaves_an_event }
