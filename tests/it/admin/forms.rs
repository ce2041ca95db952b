//! Each form of the administration: it needs a session, its token, our own page, and leaves an event. A route that takes a
//! form and is not in the table fails.

use leadgate::web::urls::route;

use super::support::ROOT;
use crate::support::http::{form, request};
use crate::support::{ADA, APP_ONE, APP_TWO, Actor, GRACE, World, both, connect_by_api};

/// What a form is posted with, who posts it, and what it leaves in the log.
struct Case {
    route: &'static str,
    /// For the gaps of the route, in order.
    ids: Vec<String>,
    fields: Vec<(&'static str, &'static str)>,
    action: &'static str,
}

fn case(route: &'static str, ids: &[&str], fields: &[(&'static str, &'static str)], action: &'static str) -> Case {
    Case { route, ids: ids.iter().map(|id| (*id).to_owned()).collect(), fields: fields.to_vec(), action }
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
}

/// In an order in which each can be done.
async fn cases(world: &World, root: &mut Actor) -> Vec<Case> {
    let ada = world.make_user("spare@acme.test", "partner").await;
    let user = [ada.as_str()];
    connect_by_api(world, GRACE, "btn-one").await;
    let list = root.get("/admin/connections").await;
    let connection = list.between("href=\"/admin/connections/", "/end\"").unwrap().to_owned();
    root.submit(route::ADMIN_NEW_INVITATION, &[("email", "guest@acme.test"), ("role", "member")]).await.expect(200);
    let list = root.get("/admin/invitations").await;
    let invitation = list.between("/admin/invitations/", "/revoke").unwrap().to_owned();
    let page = root.get("/admin/accounts/acme").await;
    let key = page.between("/admin/accounts/acme/keys/", "/remove").unwrap().to_owned();
    let spare = [("email", "spare@acme.test"), ("name", "Spare"), ("account", "acme"), ("role", "member")];
    let fresh = [("email", "fresh@acme.test"), ("name", "Fresh"), ("account", "acme"), ("role", "member")];
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

/// Whether an address takes forms at all.
async fn takes_forms(world: &World, route: &str) -> bool {
    let path =
        route.split('/').map(|word| if word.starts_with('{') { "x" } else { word }).collect::<Vec<_>>().join("/");
    world.actor().post(&path, &[]).await.status != 405
}

/// R14, C7: each form that changes something.
async fn r14_c7_each_form_is_guarded_and_leaves_an_event(world: World) {
    let mut root = world.admin().await;
    let mut ada = world.signed_in(ADA).await;
    let own = ada.get("/account").await.csrf();
    let cases = cases(&world, &mut root).await;
    let csrf = root.get(route::ADMIN_NEW_USER).await.csrf();
    for case in &cases {
        let (path, action) = (case.path(), format!("action={}", case.action));
        let with = |csrf: &'static str| [&[("csrf", csrf)], case.fields.as_slice()].concat();
        let before = world.log(&mut root, &action).await.len();
        // Nobody, somebody else, no token, a wrong one, another's.
        world.actor().post(&path, &with("x")).await.expect(403);
        let fields: Vec<_> = [("csrf", own.as_str())].into_iter().chain(case.fields.iter().copied()).collect();
        ada.post(&path, &fields).await.expect(404);
        for wrong in [with(""), with("x"), fields.clone(), case.fields.clone()] {
            root.post(&path, &wrong).await.expect(403);
        }
        let fields: Vec<_> = [("csrf", csrf.as_str())].into_iter().chain(case.fields.iter().copied()).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        root.send(None, request("POST", &path, &headers, form(&fields))).await.expect(403);
        assert_eq!(world.log(&mut root, &action).await.len(), before, "{path}: nothing was done");
        let done = root.post(&path, &fields).await;
        assert!([200, 303].contains(&done.status), "{path}: {} {}", done.status, done.text());
        let log = world.log(&mut root, &action).await;
        assert_eq!(log.len(), before + 1, "{path}");
        assert_eq!(log[0]["actor"]["name"], ROOT, "{path}");
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
const SURFACES: [&str; 1] = ["/admin"];
/// Forms whose own tests say what they need: signing in has no session yet.
const ELSEWHERE: [&str; 0] = [];

both! { r14_c7_each_form_is_guarded_and_leaves_an_event }
