//! Work that is large by nature, the hash of a password: it holds up nothing else, and is done once.

use std::net::SocketAddr;
use std::pin::Pin;

use futures_util::future::{join_all, poll_immediate};
use leadgate::crypto::password::{PasswordError, Place};
use leadgate::domain::email::Email;
use leadgate::domain::role::Role;
use leadgate::domain::user::PasswordHash;
use leadgate::services::Context;
use leadgate::services::invitations::{self, NewUser};
use leadgate::services::journal::Query;
use leadgate::services::throttle::Limits;
use leadgate::services::users;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::account::support::{log_in_with, signed_in};
use crate::oauth::support::{STUDIO, assert_error};
use crate::support::http::{form, from_address, request};
use crate::support::{ADA, APP_ONE, Answer, Click, GRACE, ISSUER, PARTNER, PASSWORD, Setup, World, both};

/// Takes every place there is.
fn crowd(ctx: &Context) -> Vec<Place<'_>> {
    std::iter::from_fn(|| ctx.passwords.queue(None).ok()).collect()
}

type Hash<'c> = Pin<Box<dyn Future<Output = Result<PasswordHash, PasswordError>> + 'c>>;

/// Keeps whoever comes after it waiting, until it is dropped: work that has its turn, and that nobody goes on with.
async fn hold(ctx: &Context) -> Vec<Hash<'_>> {
    let cores = std::thread::available_parallelism().unwrap().get();
    let (mut held, mut waiting) = (Vec::new(), 0);
    while waiting < cores {
        let before = ctx.passwords.runs();
        let mut hash: Hash<'_> = Box::pin(ctx.passwords.hash("nobody's"));
        assert!(poll_immediate(&mut hash).await.is_none());
        waiting += usize::from(ctx.passwords.runs() == before);
        held.push(hash);
    }
    held
}

#[track_caller]
fn assert_busy(page: &Answer) {
    assert_eq!((page.status, page.header("retry-after")), (503, Some("5")), "{page:?}");
    assert!(page.text().contains("The server is busy. Try again in 5 seconds."), "{}", page.text());
    assert!(page.set_cookies().iter().all(|cookie| !cookie.contains("_session_")), "{page:?}");
}

/// R4, C9: who finds no place is told so in the form of each surface, known or unknown; nothing has happened, and the
/// journal has a reason of its own.
async fn r4_c9_beyond_the_queue_each_surface_says_when_to_come_again(world: World) {
    let (mut grace, csrf) = signed_in(&world, GRACE).await;
    let email = Email::parse("lin@new.test").unwrap();
    let invitation = NewUser { email, role: Role::Partner, account: None };
    let offered = invitations::invite(&world.operator(), invitation).await.unwrap();
    let mut lin = world.actor();
    let link = lin.get(offered.link.strip_prefix(ISSUER).unwrap()).await;
    let invited = lin.follow(&link).await.expect(200).csrf();
    let mut ada = world.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let before = world.ctx.passwords.runs();

    let crowd = crowd(&world.ctx);
    for email in [ADA, "nobody@acme.test"] {
        assert_busy(&ada.post_login(&opened, email, PASSWORD).await);
        let csrf = ada.get("/account").await.csrf();
        assert_busy(&ada.post("/account/login", &[("csrf", &csrf), ("email", email), ("password", PASSWORD)]).await);
        let fields = [("grant_type", "password"), ("username", email), ("password", PASSWORD)];
        let answer = STUDIO.token(&world, &fields).await;
        assert_error(&answer, 503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
        let entry = world.ctx.journal.list(&Query::default()).remove(0);
        assert_eq!(entry.why.as_ref().unwrap().rule, "server.busy");
    }
    let new = "an entirely new one";
    let fields = [("csrf", &*csrf), ("present_password", PASSWORD), ("new_password", new), ("new_password_again", new)];
    assert_busy(&grace.post("/account/password", &fields).await);
    let chosen = [("csrf", &*invited), ("name", "Lin"), ("company", "New Co"), ("new_password", new)];
    let chosen = [&chosen[..], &[("new_password_again", new)]].concat();
    assert_busy(&lin.post("/invitation", &chosen).await);
    let mut kim = world.actor();
    let csrf = kim.get("/sign-up").await.csrf();
    let fields = [("name", "Kim"), ("company", "Kim Co"), ("email", "kim@new.test"), ("password", new)];
    let fields = [&fields[..], &[("csrf", &csrf)]].concat();
    assert_busy(&kim.post("/sign-up", &fields).await);
    assert_eq!(world.ctx.passwords.runs(), before, "no work was done for them");
    users::set_password(&world.operator(), &Email::parse(GRACE).unwrap(), new).await.unwrap();

    drop(crowd);
    assert_eq!(kim.post("/sign-up", &fields).await.location(), "/console");
    assert_eq!(lin.post("/invitation", &chosen).await.location(), "/console");
    ada.log_in(&opened, ADA).await.expect(200);
}

/// C10: what was not looked at was no attempt.
async fn c10_who_finds_no_place_has_used_up_nothing(world: World) {
    let mut ada = world.actor();
    let csrf = ada.get("/account").await.csrf();
    let body = form(&[("csrf", &csrf), ("email", ADA), ("password", PASSWORD)]);
    let login = || {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        from_address(request("POST", "/account/login", &[kind], body.clone()), 1)
    };
    let crowd = crowd(&world.ctx);
    for _ in 0..3 {
        assert_busy(&ada.send(None, login()).await);
    }
    drop(crowd);
    assert_eq!(ada.send(None, login()).await.location(), "/account");
}

async fn wait_for(world: &World, waiting: usize) {
    while world.ctx.passwords.waiting() != waiting {
        tokio::task::yield_now().await;
    }
}

/// A request on a connection of its own, whose answer is not read yet.
async fn send(address: SocketAddr, line: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: auth.test\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// R4: while a hundred logins wait, each on a connection of its own, probes and refreshes are answered.
async fn r4_logins_that_wait_hold_up_nothing_else(world: World) {
    const LOGINS: usize = 100;
    let tokens = world.actor().connect("btn-one", PARTNER, ADA).await;
    let address = world.listen().await;
    let mut guest = world.actor();
    let body = form(&[("csrf", &guest.get("/account").await.csrf()), ("email", ADA), ("password", "wrong")]);
    let cookie = format!("{}={}", guest.jar.name("_browser_").unwrap(), guest.jar.value("_browser_").unwrap());
    let headers = format!("Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n");

    let held = hold(&world.ctx).await;
    let mut logins = Vec::new();
    for _ in 0..LOGINS {
        logins.push(send(address, "POST /account/login", &headers, &body).await);
    }
    wait_for(&world, LOGINS).await;
    let refresh = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
    for path in ["/livez", "/readyz", &refresh] {
        let text = answer(send(address, &format!("GET {path}"), "", "").await).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
    assert_eq!(world.ctx.passwords.waiting(), LOGINS);

    // Who hangs up is not waited for.
    logins.truncate(LOGINS - 1);
    wait_for(&world, LOGINS - 1).await;
    drop(held);
    for text in join_all(logins.into_iter().map(answer)).await {
        assert!(text.starts_with("HTTP/1.1 422"), "{text}");
    }
    assert_eq!(world.ctx.passwords.waiting(), 0);
}

/// R4: the demonstration's users have one password, which is hashed once; a reset, a namespace and a restart work out nothing
/// that is there.
async fn r4_a_seed_is_hashed_once(world: World) {
    assert_eq!(world.ctx.passwords.runs(), 1);
    let users = users::list(&world.ctx, None, 100).await.unwrap().len();
    assert!(users > 1, "the test's own premise");
    world.reset().await;
    world.reset().await;
    world.namespace().await;
    assert_eq!(world.ctx.passwords.runs(), 1);
    assert_eq!(world.another_node().await.ctx.passwords.runs(), 0);
    let mut ada = world.actor();
    log_in_with(&mut ada, ADA, "correct horse battery").await;
    assert_eq!(world.ctx.passwords.runs(), 2);
}

fn one_guess_a_minute() -> Setup {
    Setup { limits: Limits { logins: 1, ..Limits::NONE }, ..Setup::default() }
}

both! {
    r4_c9_beyond_the_queue_each_surface_says_when_to_come_again,
    r4_logins_that_wait_hold_up_nothing_else,
}
both!(with super::one_guess_a_minute(); c10_who_finds_no_place_has_used_up_nothing);
both!(with support::Setup::demonstration(); r4_a_seed_is_hashed_once);
