//! Keys that outlive a process (R10), and a clock that is moved (R11).

use std::time::Duration;

use leadgate::boot::build;
use leadgate::clock::ManualClock;
use leadgate::domain::timestamp::Timestamp;
use leadgate::store::{Location, Store};

use crate::support::world::START;
use crate::support::{ADA, APP_ONE, Click, Database, Kind, PARTNER, Setup, Tokens, World, both, connect_by_api};

/// R10: another master key opens nothing, and says what to do; the right one does afterwards.
async fn r10_a_wrong_master_key_is_refused_with_a_reason(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let wrong = Setup { master_key: [8; 32], ..world.setup.clone() };
    let store = Store::open(&world.database.location()).await.unwrap();
    let Err(refused) = build(World::parts(store, &world.clock, &wrong), None).await else {
        panic!("a wrong master key was taken");
    };
    let message = refused.to_string();
    assert!(message.contains("master key") && message.contains("LEADGATE_MASTER_KEY"), "{message}");
    let again = world.another_node().await;
    assert_eq!(again.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true, "nothing was overwritten");
}

/// R10: everything that was handed out works after a restart.
async fn r10_a_restart_loses_nothing(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let opened = ada.open(Click::on("btn-two", PARTNER)).await;
    let csrf = ada.get(&opened.path).await.csrf();
    world.ctx.store.close().await;
    let restarted = world.another_node().await;
    let mut ada = ada.at(&restarted);
    restarted.me(&tokens.access).await.expect(200);
    assert_eq!(restarted.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    assert_eq!(Tokens::of(&ada.resume(PARTNER, &["btn-one"]).await["btn-one"]).refresh, tokens.refresh);
    let fields = [("csrf", csrf.as_str()), ("decision", "allow")];
    ada.post(&format!("{}/decision", opened.path), &fields).await.expect(200).code();
    assert_eq!(restarted.disconnect(&tokens.refresh).await.json()["valid"], true);
}

/// R11: a clock that is set back resurrects nothing that was used or ended; what had merely expired is valid
/// again: that is what going back means.
async fn r11_a_clock_that_goes_back_resurrects_nothing(world: World) {
    let mut ada = world.actor();
    let (used, used_code) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let tokens = Tokens::of(&ada.redeem(&used, &used_code).await.json());
    let (finished, _) = ada.code(Click::on("btn-one", PARTNER), ADA).await;
    let two = ada.connect("btn-two", PARTNER, ADA).await;
    world.advance(3_600);
    world.me(&two.access).await.expect(401);
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    let signed_in = ada.clone();
    let csrf = ada.get("/account").await.csrf();
    ada.post("/logout", &[("csrf", &csrf)]).await.location();

    for back in [0, 3_600] {
        let start = Timestamp::from_micros(START).minus(Duration::from_secs(back));
        let earlier = world.node_at(ManualClock::at(start)).await;
        earlier.me(&tokens.access).await.expect(401);
        assert_eq!(earlier.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
        assert_eq!(earlier.disconnect(&tokens.refresh).await.json()["valid"], false);
        let mut ada = signed_in.at(&earlier);
        assert!(ada.get("/account").await.is_login_page(), "the session was ended");
        assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "login_required");
        let again = ada.redeem(&used, &used_code).await.json();
        assert_eq!(again["error"], "invalid_grant", "used is used");
        ada.get(&finished.path).await.expect(410);
        earlier.me(&two.access).await.expect(200);
    }
}

/// R11: while a clock stands or goes back, new tokens are good all the same.
async fn r11_tokens_of_a_clock_that_went_back_work(world: World) {
    connect_by_api(&world, ADA, "btn-one").await;
    for seconds in [3_600, 3_600 * 24 * 365] {
        let start = Timestamp::from_micros(START).minus(Duration::from_secs(seconds));
        let earlier = world.node_at(ManualClock::at(start)).await;
        let mut ada = earlier.actor();
        let tokens = ada.connect("btn-one", PARTNER, ADA).await;
        earlier.me(&tokens.access).await.expect(200);
        assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);
        assert_eq!(earlier.disconnect(&tokens.refresh).await.json()["valid"], true);
        earlier.me(&tokens.access).await.expect(401);
        connect_by_api(&world, ADA, "btn-one").await;
    }
}

/// wire.md part 0: `sqlite::memory:` serves the whole of it, until the process ends.
#[tokio::test]
async fn part_0_a_database_in_memory_serves_a_whole_sign_in() {
    let database = Database::make(Kind::Sqlite).await;
    let setup = Setup::default();
    let world = World::start_on(Store::open(&Location::SqliteMemory).await.unwrap(), database.clone(), &setup).await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    world.me(&tokens.access).await.expect(200);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], true);
    assert_eq!(Tokens::of(&ada.resume(PARTNER, &["btn-one"]).await["btn-one"]).refresh, tokens.refresh);
    assert!(ada.get("/account").await.text().contains("Rate Finder"));
    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    world.me(&tokens.access).await.expect(401);
    assert!(!database.file().exists(), "nothing is on the disk");
    database.remove().await;
}

both! {
    r10_a_wrong_master_key_is_refused_with_a_reason,
    r10_a_restart_loses_nothing,
    r11_a_clock_that_goes_back_resurrects_nothing,
    r11_tokens_of_a_clock_that_went_back_work,
}
