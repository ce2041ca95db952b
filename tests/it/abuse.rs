//! What somebody gets who tries again and again, and what somebody else gets meanwhile.

use axum::body::Body;
use axum::http::Request;
use leadgate::services::throttle::Limits;
use serde_json::json;

use crate::account::support::signed_in;
use crate::deliveries::JSON;
use crate::oauth::support::{FORM, POCKET, PUSHING, STUDIO, assert_error, assert_page, basic, registration_token};
use crate::support::http::{form, from_address, request};
use crate::support::statements::Statements;
use crate::support::{ADA, APP_ONE, Answer, Click, GRACE, PARTNER, PASSWORD, SANDBOX_TOKEN, Setup, World, both};

/// What begins something from an address, its status, and the table with its rows.
type Begun<'b> = (&'b dyn Fn(u8) -> Request<Body>, u16, &'b str);

/// The address that `192.0.2.1` says it was asked by.
fn through_proxy(mut request: Request<Body>, forwarded: &str) -> Request<Body> {
    request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    from_address(request, 1)
}

/// C10: a proxy of the operator's own is believed, and nobody else; what a client writes in front of its address is nothing.
async fn c10_a_trusted_proxy_tells_its_clients_apart(world: World) {
    let mut ada = world.actor();
    let csrf = ada.get("/account").await.expect(200).csrf();
    let attempt = |password: &str| {
        let body = form(&[("csrf", &csrf), ("email", ADA), ("password", password)]);
        request("POST", "/account/login", &[("content-type", FORM)], body)
    };
    for _ in 0..3 {
        ada.send(None, through_proxy(attempt("wrong"), "198.51.100.1")).await.expect(422);
    }
    for claimed in ["198.51.100.1", "203.0.113.9, 198.51.100.1", "198.51.100.2, garbage, 198.51.100.1:4711"] {
        ada.send(None, through_proxy(attempt(PASSWORD), claimed)).await.expect(429);
    }
    // Who is no proxy is itself, whatever it says.
    for i in 0..3 {
        let mut spoofed = attempt("wrong");
        spoofed.headers_mut().insert("x-forwarded-for", format!("198.51.100.{i}").parse().unwrap());
        ada.send(None, from_address(spoofed, 7)).await.expect(422);
    }
    let mut spoofed = attempt(PASSWORD);
    spoofed.headers_mut().insert("x-forwarded-for", "198.51.100.77".parse().unwrap());
    ada.send(None, from_address(spoofed, 7)).await.expect(429);
    // The owner, elsewhere behind the same proxy, gets in, and is seen there.
    ada.send(None, through_proxy(attempt(PASSWORD), "198.51.100.1, 198.51.100.2")).await.location();
    let sessions = ada.get("/account/sessions").await.expect(200);
    assert!(sessions.text().contains("198.51.100.2") && !sessions.text().contains("192.0.2.1"), "{}", sessions.text());
}

/// C10: where no proxy is trusted, the header counts for nothing.
async fn c10_without_a_trusted_proxy_the_connection_counts(world: World) {
    let (mut ada, _) = signed_in(&world, ADA).await;
    let mut other = world.actor();
    let csrf = other.get("/account").await.csrf();
    let body = form(&[("csrf", &csrf), ("email", ADA), ("password", PASSWORD)]);
    let login = request("POST", "/account/login", &[("content-type", FORM)], body);
    other.send(None, through_proxy(login, "198.51.100.2")).await.location();
    let sessions = ada.get("/account/sessions").await.expect(200);
    assert!(sessions.text().contains("192.0.2.1") && !sessions.text().contains("198.51.100.2"), "{}", sessions.text());
}

/// C10: what anybody may begin is limited for address and application, in each surface's own form, and no row is made
/// beyond it; another application, and another address, go on.
async fn c10_what_is_begun_is_bounded(world: World) {
    let click = |btn: &str, origin: &str, from: u8| {
        from_address(request("GET", &Click::on(btn, origin).address(), &[], ""), from)
    };
    let flows = async || world.database.db_count("SELECT COUNT(*) FROM flows").await;
    for _ in 0..2 {
        world.send(click("btn-one", PARTNER, 1)).await.location();
    }
    let slowed = world.send(click("btn-one", PARTNER, 1)).await;
    assert_page(&slowed, 429);
    assert!(slowed.header("retry-after").is_some());
    assert_eq!(flows().await, 2);
    world.send(click("btn-one", PARTNER, 2)).await.location();
    world.send(click("btn-two", PARTNER, 1)).await.location();

    let address = format!("/oauth/authorize?response_type=code&client_id=studio&redirect_uri={}", STUDIO.redirect_uri);
    let authorize = |from| from_address(request("GET", &address, &[], ""), from);
    for _ in 0..2 {
        world.send(authorize(1)).await.location();
    }
    assert_page(&world.send(authorize(1)).await, 429);
    world.send(authorize(2)).await.location();

    let pushing = basic(PUSHING.id, "pushing-client-secret");
    let headers = [("content-type", FORM), ("authorization", pushing.as_str())];
    let fields = form(&[("response_type", "code"), ("redirect_uri", PUSHING.redirect_uri)]);
    let push = |from| from_address(request("POST", "/oauth/par", &headers, fields.clone()), from);
    let device = |from| {
        let body = form(&[("client_id", POCKET.id)]);
        from_address(request("POST", "/oauth/device_authorization", &[("content-type", FORM)], body), from)
    };
    let bearer = format!("Bearer {}", registration_token(&world).await);
    let metadata = json!({"redirect_uris": ["https://new.test/cb"]}).to_string();
    let register = |from| {
        from_address(request("POST", "/oauth/register", &[JSON, ("authorization", &bearer)], metadata.clone()), from)
    };
    let kinds: [Begun<'_>; 3] =
        [(&push, 201, "pushed_requests"), (&device, 200, "device_codes"), (&register, 201, "apps")];
    for (begin, status, table) in kinds {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let before = world.database.db_count(&count).await;
        for _ in 0..2 {
            world.send(begin(1)).await.expect(status);
        }
        let slowed = world.send(begin(1)).await;
        assert_error(&slowed, 429, "slow_down");
        assert!(slowed.header("retry-after").is_some(), "{table}");
        assert_eq!(world.database.db_count(&count).await, before + 2, "{table}");
        world.send(begin(2)).await.expect(status);
    }
}

/// N12: a partner's back end has one address and many users: what is good is never counted.
async fn n12_no_limit_reaches_a_good_request(world: World) {
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    let path = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
    let machine = basic("machine", "machine-client-secret");
    let headers = [("content-type", FORM), ("authorization", machine.as_str())];
    for _ in 0..50 {
        let refreshed = world.send(from_address(request("GET", &path, &[], ""), 1)).await.expect(200);
        assert_eq!(refreshed.json()["valid"], true);
        let token = request("POST", "/oauth/token", &headers, "grant_type=client_credentials");
        world.send(from_address(token, 1)).await.expect(200);
    }
    // The refused one beside it is, and even then the good one is served.
    for _ in 0..2 {
        let wrong = format!("/authorize/refreshaccesstoken/lgr_x?appid={APP_ONE}");
        world.send(from_address(request("GET", &wrong, &[], ""), 1)).await;
    }
    let refreshed = world.send(from_address(request("GET", &path, &[], ""), 1)).await.expect(200);
    assert_eq!(refreshed.json()["valid"], true);
}

/// What a request took: statements and hashes of passwords, which no stop-watch blurs.
async fn work(world: &World, counted: &Statements, request: Request<Body>) -> (usize, u64, Answer) {
    let (statements, runs) = (counted.so_far(), world.ctx.passwords.runs());
    let answer = world.send(request).await;
    (counted.so_far() - statements, world.ctx.passwords.runs() - runs, answer)
}

/// C9: who is not there and who is wrong get the same answer, after the same work.
async fn c9_unknown_and_wrong_are_the_same_work(world: World) {
    world.disable(GRACE).await;
    let node =
        World { setup: Setup { is_sandbox: false, ..world.setup.clone() }, ..world.clone() }.another_node().await;
    let counted = Statements::counted();
    let studio = basic("studio", "studio-client-secret");
    let by_password = |user: &str| {
        let headers = [("content-type", FORM), ("authorization", studio.as_str())];
        let body = form(&[("grant_type", "password"), ("username", user), ("password", "wrong")]);
        request("POST", "/oauth/token", &headers, body)
    };
    let api_token = |id: &str| {
        let body = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": "wrong"}).to_string();
        request("POST", "/v1/authorization/token", &[JSON], body)
    };
    let by_client = |id: &str| {
        let authorization = basic(id, "wrong");
        let headers = [("content-type", FORM), ("authorization", authorization.as_str())];
        request("POST", "/oauth/token", &headers, "grant_type=client_credentials")
    };
    let by_form = |path: &'static str| {
        move |id: &str| {
            let body = form(&[("client_id", id), ("client_secret", "wrong"), ("token", "x")]);
            request("POST", path, &[("content-type", FORM)], body)
        }
    };
    let button = |btn: &str| {
        let code = format!("lgc_{}", "A".repeat(70));
        let body = json!({"btn": btn, "code": code, "code_verifier": "v".repeat(43)}).to_string();
        request("POST", "/button/token", &[JSON, ("origin", PARTNER)], body)
    };
    type Attempt<'a> = Box<dyn Fn(&str) -> Request<Body> + 'a>;
    let surfaces: [(&str, Attempt<'_>, [&str; 3]); 5] = [
        ("password grant", Box::new(by_password), ["nobody@acme.test", ADA, GRACE]),
        ("API token", Box::new(api_token), ["nobody", "studio", "machine"]),
        ("client", Box::new(by_client), ["nobody", "studio", "machine"]),
        ("introspection", Box::new(by_form("/oauth/introspect")), ["nobody", "studio", "machine"]),
        ("revocation", Box::new(by_form("/oauth/revoke")), ["nobody", "studio", "machine"]),
    ];
    for (surface, attempt, whom) in &surfaces {
        // The first of a kind may look up what is kept afterwards.
        node.send(attempt(whom[1])).await;
        let (statements, runs, unknown) = work(&node, &counted, attempt(whom[0])).await;
        assert!((400..500).contains(&unknown.status), "{surface}: {unknown:?}");
        for who in &whom[1..] {
            let (also_statements, also_runs, wrong) = work(&node, &counted, attempt(who)).await;
            assert_eq!((also_statements, also_runs), (statements, runs), "{surface}: {who}");
            assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body), "{surface}: {who}");
        }
        assert_eq!(runs, u64::from(whom[0].contains('@')), "{surface}: a password that is looked at is hashed");
    }
    // A code of nobody's says the same as one of a form that never was.
    let (_, _, first) = work(&node, &counted, button("btn-one")).await;
    assert_eq!(first.json()["valid"], false);
}

/// C9: the login page, too.
async fn c9_a_login_takes_the_same_work_for_nobody(world: World) {
    world.disable(GRACE).await;
    let counted = Statements::counted();
    let mut ada = world.actor();
    let csrf = ada.get("/account").await.csrf();
    let mut taken = Vec::new();
    for email in [ADA, "nobody@acme.test", ADA, GRACE] {
        let before = (counted.so_far(), world.ctx.passwords.runs());
        ada.post("/account/login", &[("csrf", &csrf), ("email", email), ("password", "wrong")]).await.expect(422);
        taken.push((counted.so_far() - before.0, world.ctx.passwords.runs() - before.1));
    }
    assert_eq!(taken[1].1, 1);
    assert!(taken[1..].iter().all(|work| *work == taken[1]), "{taken:?}");
}

/// C10: guesses with invitations and sandbox tokens open nothing, and say nothing of what is there.
async fn c9_a_wrong_token_says_nothing(world: World) {
    let made_up = format!("lgv_{}", "A".repeat(70));
    let mut bodies = Vec::new();
    for token in [made_up.as_str(), "lgv_", "x", SANDBOX_TOKEN] {
        let mut lin = world.actor();
        let mut page = lin.get(&format!("/invitation?token={token}")).await;
        if page.status == 303 {
            page = lin.follow(&page).await;
        }
        assert!(token.len() < 10 || !page.text().contains(token), "{}", page.text());
        bodies.push((page.status, page.text().contains("<form")));
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

both! { with super::behind_a_proxy(); c10_a_trusted_proxy_tells_its_clients_apart }
both! { c10_without_a_trusted_proxy_the_connection_counts, c9_a_login_takes_the_same_work_for_nobody, c9_a_wrong_token_says_nothing }
both! { with super::two_openings(); c10_what_is_begun_is_bounded }
both! { with super::one_of_each(); n12_no_limit_reaches_a_good_request }
both! { with super::with_a_password_grant(); c9_unknown_and_wrong_are_the_same_work }

fn behind_a_proxy() -> Setup {
    Setup { limits: Limits { logins: 3, ..Limits::NONE }, trusted_proxies: "192.0.2.1", ..Setup::default() }
}

fn two_openings() -> Setup {
    Setup { limits: Limits { openings: 2, ..Limits::NONE }, ..Setup::default() }
}

fn one_of_each() -> Setup {
    Setup { limits: Limits { logins: 5, refusals: 1, openings: 5 }, ..Setup::default() }
}

fn with_a_password_grant() -> Setup {
    Setup { password_grant: true, ..Setup::default() }
}
