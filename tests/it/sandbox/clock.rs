//! The test clocks (wire.md E): all that is issued, checked, shown and swept follows them.

use leadgate::domain::ids::AppId;
use leadgate::worker;
use serde_json::{Value, json};

use crate::oauth::support::{Ask, Issued, STUDIO, claims, keyed};
use crate::support::{ADA, APP_ONE, APP_TWO, Answer, Click, PARTNER, World, both, connect_by_api};

const NOW: &str = "2026-11-22T09:15:30.000Z";

async fn read(world: &World, query: &str) -> Value {
    world.control("GET", &format!("/clock{query}"), &Value::Null).await.expect(200).json()
}

async fn set(world: &World, change: Value) -> Value {
    world.control("POST", "/clock", &change).await.expect(200).json()
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, pointer: Option<&str>) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.json()["pointer"].as_str(), pointer, "{}", answer.json());
}

/// The server's clock stands in these tests, so what it shows is exact.
async fn e_a_clock_is_shown_moved_stopped_and_put_right(world: World) {
    assert_eq!(read(&world, "").await, json!({"now": NOW, "real_now": NOW, "offset_ms": 0, "frozen": false}));
    let moved = set(&world, json!({"advance": "1h1ms"})).await;
    assert_eq!(
        moved,
        json!({"now": "2026-11-22T10:15:30.001Z", "real_now": NOW, "offset_ms": 3_600_001, "frozen": false})
    );
    assert_eq!(read(&world, "").await, moved);
    let back = set(&world, json!({"offset_ms": -60_000})).await;
    assert_eq!(
        back,
        json!({"now": "2026-11-22T09:14:30.000Z", "real_now": NOW, "offset_ms": -60_000, "frozen": false})
    );

    let frozen = set(&world, json!({"freeze": true})).await;
    assert_eq!((&frozen["now"], &frozen["frozen"]), (&back["now"], &json!(true)));
    world.advance(100);
    assert_eq!(read(&world, "").await["now"], "2026-11-22T09:14:30.000Z", "it stands");
    assert_eq!(set(&world, json!({"advance": "5s"})).await["now"], "2026-11-22T09:14:35.000Z", "and can be moved");
    let thawed = set(&world, json!({"freeze": false})).await;
    assert_eq!((&thawed["now"], &thawed["frozen"]), (&json!("2026-11-22T09:14:35.000Z"), &json!(false)));
    world.advance(1);
    assert_eq!(read(&world, "").await["now"], "2026-11-22T09:14:36.000Z", "it goes on from where it stood");
    assert_eq!(set(&world, json!({"offset_ms": 0})).await["now"], "2026-11-22T09:17:11.000Z");
}

async fn e_an_applications_offset_adds_to_the_servers(world: World) {
    set(&world, json!({"advance": "1h"})).await;
    let one = set(&world, json!({"app": APP_ONE, "advance": "30m"})).await;
    assert_eq!(
        one,
        json!({"now": "2026-11-22T10:45:30.000Z", "real_now": NOW, "offset_ms": 1_800_000, "frozen": false})
    );
    set(&world, json!({"advance": "1h"})).await;
    assert_eq!(read(&world, &format!("?app={APP_ONE}")).await["now"], "2026-11-22T11:45:30.000Z");
    assert_eq!(read(&world, &format!("?app={APP_TWO}")).await["now"], "2026-11-22T11:15:30.000Z");
    set(&world, json!({"app": APP_ONE, "freeze": true})).await;
    set(&world, json!({"advance": "1h"})).await;
    assert_eq!(read(&world, &format!("?app={APP_ONE}")).await["now"], "2026-11-22T11:45:30.000Z", "its own stands");
    world.delete_app(APP_ONE).await;
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM clocks WHERE app_id <> ''").await, 0);
}

async fn e_what_is_no_change_is_refused_with_the_place(world: World) {
    for (change, pointer) in [
        (json!({}), None),
        (json!({"advance": "1h", "freeze": true}), None),
        (json!({"advance": "1 h"}), Some("/advance")),
        (json!({"advance": "-1h"}), Some("/advance")),
        (json!({"advance": 5}), Some("/advance")),
        (json!({"offset_ms": "5"}), Some("/offset_ms")),
        (json!({"offset_ms": 1.5}), Some("/offset_ms")),
        (json!({"freeze": "yes"}), Some("/freeze")),
        (json!({"advance_to": "tomorrow"}), Some("/advance_to")),
        (json!({"advanced": "1h"}), Some("/advanced")),
        (json!({"advance": "99999d", "app": APP_ONE, "x": 1}), Some("/x")),
        (json!({"offset_ms": i64::MAX}), None),
        (json!({"offset_ms": i64::MIN}), None),
        (json!({"advance": "3000000d"}), None),
    ] {
        assert_refused(&world.control("POST", "/clock", &change).await, 400, pointer);
    }
    let unknown = world.control("POST", "/clock", &json!({"app": "nobodys", "advance": "1s"})).await;
    assert_refused(&unknown, 404, Some("/app"));
    let unknown = world.control("GET", "/clock?app=nobodys", &Value::Null).await;
    assert_eq!((unknown.status, &unknown.json()["parameter"]), (404, &json!("app")));
    let odd = world.control("GET", "/clock?apps=x", &Value::Null).await;
    assert_eq!((odd.status, &odd.json()["parameter"]), (400, &json!("apps")));
    assert_refused(&world.control("POST", "/clock", &json!({"advance_to": "next_expiry"})).await, 409, None);
    assert_eq!(read(&world, "").await["now"], NOW, "none of them moved it");
}

/// LeadExec's hour, to the second; and what is issued afterwards is of the new time.
async fn e_an_hour_passes_when_the_test_says_so(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    assert_eq!(tokens.expires, "2026-11-22T10:15:30Z");
    set(&world, json!({"advance": "59m59s"})).await;
    world.me(&tokens.access).await.expect(200);
    set(&world, json!({"advance": "1s"})).await;
    world.me(&tokens.access).await.expect(401);
    let refreshed = world.refresh(&tokens.refresh, APP_ONE).await.json();
    assert_eq!(refreshed["expireDate"], "2026-11-22T11:15:30Z");
    world.me(refreshed["authToken"].as_str().unwrap()).await.expect(200);
    // Rule R11: what had merely expired is valid again.
    set(&world, json!({"offset_ms": 0})).await;
    world.me(&tokens.access).await.expect(200);
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    set(&world, json!({"offset_ms": -7_200_000})).await;
    world.me(&tokens.access).await.expect(401);
}

/// Codes, the dialog and sign-ins end by it too.
async fn e_codes_dialogs_and_sessions_follow_the_clock(world: World) {
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    set(&world, json!({"advance": "60s"})).await;
    assert_eq!(ada.redeem(&opened, &code).await.json()["error"], "invalid_grant", "a code lives for 60 s");
    let late = ada.open(Click::on("btn-two", PARTNER)).await;
    set(&world, json!({"advance": "1h"})).await;
    assert!(!ada.get(&late.path).await.is_login_page(), "the dialog is over");
    assert!(!ada.get("/account").await.is_login_page());
    set(&world, json!({"advance": "90d"})).await;
    assert!(ada.get("/account").await.is_login_page(), "the sign-in is over");
}

async fn e_two_applications_live_in_different_times(world: World) {
    let one = connect_by_api(&world, ADA, "btn-one").await;
    let two = connect_by_api(&world, ADA, "btn-two").await;
    let studio = STUDIO.connect_for(&world, ADA, "openid account_api").await;
    set(&world, json!({"app": APP_ONE, "advance": "2h"})).await;
    set(&world, json!({"app": "studio", "offset_ms": -86_400_000})).await;
    world.me(&one.access).await.expect(401);
    world.me(&two.access).await.expect(200);
    let expires = async |refresh: &str, app| world.refresh(refresh, app).await.json()["expireDate"].clone();
    assert_eq!(expires(&one.refresh, APP_ONE).await, "2026-11-22T12:15:30Z");
    assert_eq!(expires(&two.refresh, APP_TWO).await, "2026-11-22T10:15:30Z");

    let refreshed = Issued::of(&STUDIO.refresh(&world, studio.refresh()).await);
    let (access, id) = (claims(&refreshed.access), claims(refreshed.id_token()));
    let yesterday = 1_795_338_930 - 86_400;
    assert_eq!((&access["iat"], &access["exp"]), (&json!(yesterday), &json!(yesterday + 3_600)));
    assert_eq!((&id["iat"], &id["auth_time"]), (&json!(yesterday), &json!(yesterday + 86_400)), "signed in before");
    let fresh = STUDIO.connect_for(&world, ADA, "openid").await;
    let id = claims(fresh.id_token());
    assert_eq!((&id["iat"], &id["auth_time"]), (&json!(yesterday), &json!(yesterday)));

    // A click in the other's time: the code is good for the minute that its own clock counts.
    let mut ada = world.actor();
    let (opened, code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    set(&world, json!({"app": APP_TWO, "advance": "1h"})).await;
    let result = ada.redeem(&opened, &code).await.json();
    assert_eq!(result["expireDate"], "2026-11-22T12:15:30Z");
    set(&world, json!({"app": APP_ONE, "advance": "91d"})).await;
    assert_eq!(
        ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"],
        true,
        "by the session, which is the server's"
    );
}

async fn e_the_next_expiry_is_gone_to(world: World) {
    let one = connect_by_api(&world, ADA, "btn-one").await;
    let there = set(&world, json!({"advance_to": "next_expiry"})).await;
    assert_eq!(there["now"], "2026-11-22T10:15:30.000Z");
    world.me(&one.access).await.expect(401);
    let mut ada = world.actor();
    ada.code(Click::on("btn-one", PARTNER), ADA).await;
    world.refresh(&one.refresh, APP_ONE).await.expect(200);
    let code = set(&world, json!({"advance_to": "next_expiry"})).await;
    assert_eq!(code["now"], "2026-11-22T10:16:30.000Z", "the code that nobody redeemed");
    set(&world, json!({"app": APP_TWO, "offset_ms": 600_000})).await;
    connect_by_api(&world, ADA, "btn-two").await;
    let theirs = set(&world, json!({"app": APP_TWO, "advance_to": "next_expiry"})).await;
    assert_eq!(
        theirs,
        json!({"now": "2026-11-22T11:26:30.000Z", "real_now": NOW, "offset_ms": 4_200_000, "frozen": false})
    );
    let token = set(&world, json!({"advance_to": "next_expiry"})).await;
    assert_eq!(token["now"], "2026-11-22T11:15:30.000Z", "of application one: two's are over by two's clock");
}

/// What clients stamp with the machine's clock is taken although the server's was moved (RFC 7523, RFC 9449).
async fn e_a_client_need_not_know_of_the_clock(world: World) {
    set(&world, json!({"advance": "30d"})).await;
    let client = keyed();
    let fields = [("grant_type", "client_credentials"), ("scope", "account_api")];
    Issued::of(&client.token(&world, &fields).await);
    set(&world, json!({"app": client.id, "offset_ms": -86_400_000})).await;
    let issued = Issued::of(&client.token(&world, &fields).await);
    assert_eq!(claims(&issued.access)["iat"], 1_795_338_930 + 29 * 86_400);
    let ask = Ask::of(&client).with("scope", "account_api");
    let code = ask.allowed(&world, ADA).await.code();
    Issued::of(&client.redeem(&world, &ask, &code).await);
}

/// Another node on the database takes it over, and so does a restart; production never looks at it.
async fn e_the_clock_is_the_databases(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let before = world.another_node().await;
    set(&world, json!({"advance": "1h"})).await;
    set(&world, json!({"app": APP_TWO, "freeze": true})).await;
    let after = world.another_node().await;
    after.me(&tokens.access).await.expect(401);
    assert_eq!(read(&after, &format!("?app={APP_TWO}")).await["frozen"], true);
    before.me(&tokens.access).await.expect(200);
    leadgate::services::clocks::reload(&before.ctx).await.unwrap();
    before.me(&tokens.access).await.expect(401);
    assert_eq!(before.ctx.clocks.apart(), [AppId::parse(APP_TWO).unwrap()]);
}

/// Rows of an application are swept by its clock, all others by the server's.
async fn e_sweeps_follow_the_clocks(world: World) {
    connect_by_api(&world, ADA, "btn-one").await;
    connect_by_api(&world, ADA, "btn-two").await;
    let left = async |app: &str| {
        world.database.db_count(&format!("SELECT COUNT(*) FROM access_tokens WHERE app_id = '{app}'")).await
    };
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!((left(APP_ONE).await, left(APP_TWO).await), (1, 1));
    set(&world, json!({"app": APP_ONE, "advance": "3d"})).await;
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!((left(APP_ONE).await, left(APP_TWO).await), (0, 1));
    set(&world, json!({"app": APP_TWO, "offset_ms": -259_200_000})).await;
    set(&world, json!({"advance": "3d"})).await;
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(left(APP_TWO).await, 1, "its own clock shows the day of its issue");
    set(&world, json!({"app": APP_TWO, "offset_ms": 0})).await;
    worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(left(APP_TWO).await, 0);
}

/// Rule R11: a resume handle that was spent stays so, whatever the clock shows.
async fn r11_a_spent_resume_handle_is_not_brought_back(world: World) {
    let mut ada = world.actor();
    ada.connect("btn-one", PARTNER, ADA).await;
    let mut copied = ada.clone();
    assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);
    set(&world, json!({"advance": "10m"})).await;
    copied.jar.blocks_third_parties = true;
    assert_eq!(copied.clone().resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "login_required");
    set(&world, json!({"offset_ms": -3_600_000})).await;
    assert_eq!(copied.resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "login_required");
}

/// Who moved a clock sees it moved, whatever others do to theirs meanwhile.
async fn e_clocks_that_are_moved_at_once_do_not_lose_a_move(world: World) {
    let apps = [APP_ONE, APP_TWO, "studio", "rival", "pocket", "machine"];
    let movers = apps.map(|app| {
        let world = world.clone();
        tokio::spawn(async move {
            for round in 1..=20 {
                let offset = round * 60_000;
                set(&world, json!({"app": app, "offset_ms": offset})).await;
                assert_eq!(read(&world, &format!("?app={app}")).await["offset_ms"], offset, "{app}");
            }
        })
    });
    for mover in movers {
        mover.await.unwrap();
    }
}

/// A device waits in real time between two polls (RFC 8628 section 3.5).
async fn e_a_device_is_paced_by_real_time(world: World) {
    let begun =
        STUDIO.post(&world, "/oauth/device_authorization", &[("scope", "account_api")]).await.expect(200).json();
    let code = begun["device_code"].as_str().unwrap();
    let fields = [("grant_type", crate::oauth::support::DEVICE_GRANT), ("device_code", code)];
    set(&world, json!({"freeze": true})).await;
    for _ in 0..3 {
        assert_eq!(STUDIO.token(&world, &fields).await.json()["error"], "authorization_pending");
        world.advance(6);
    }
    STUDIO.token(&world, &fields).await;
    assert_eq!(STUDIO.token(&world, &fields).await.json()["error"], "slow_down");
}

/// An operator ends connections at a moment of each application's own time.
async fn e_what_an_operator_ends_is_of_the_applications_time(world: World) {
    let one = connect_by_api(&world, ADA, "btn-one").await;
    connect_by_api(&world, ADA, "btn-two").await;
    set(&world, json!({"app": APP_ONE, "advance": "3h"})).await;
    world.disable(ADA).await;
    world.refresh(&one.refresh, APP_ONE).await;
    let all = world.ctx.journal.list(&leadgate::services::journal::Query { limit: Some(1), ..Default::default() });
    assert_eq!(all[0].why.as_ref().unwrap().message, "the connection was ended by an operator, just now");
    let hours = "SELECT COUNT(*) FROM connections WHERE ended_at - created_at >= 10800000000";
    assert_eq!(world.database.db_count(hours).await, 1);
}

both! {
    r11_a_spent_resume_handle_is_not_brought_back,
    e_clocks_that_are_moved_at_once_do_not_lose_a_move,
    e_a_device_is_paced_by_real_time,
    e_what_an_operator_ends_is_of_the_applications_time,
    e_a_clock_is_shown_moved_stopped_and_put_right,
    e_an_applications_offset_adds_to_the_servers,
    e_what_is_no_change_is_refused_with_the_place,
    e_an_hour_passes_when_the_test_says_so,
    e_codes_dialogs_and_sessions_follow_the_clock,
    e_two_applications_live_in_different_times,
    e_the_next_expiry_is_gone_to,
    e_a_client_need_not_know_of_the_clock,
    e_the_clock_is_the_databases,
    e_sweeps_follow_the_clocks,
}
