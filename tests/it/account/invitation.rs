//! Links by which somebody chooses a password.

use leadgate::domain::email::Email;
use leadgate::domain::ids::AccountId;
use leadgate::domain::role::Role;
use leadgate::services::invitations::{self, InvitationError, NewUser, Offered};
use leadgate::services::users;

use super::support::{assert_refused, log_in, log_in_with, signed_in};
use crate::support::{ADA, APP_ONE, Actor, Answer, GRACE, ISSUER, PARTNER, PASSWORD, World, both};

const NEW: &str = "an entirely new one";

async fn invite(world: &World, email: &str, role: Role, account: Option<&str>) -> Offered {
    let email = Email::parse(email).unwrap();
    let account = account.map(|id| AccountId::parse(id).unwrap());
    invitations::invite(&world.operator(), NewUser { email, role, account }).await.unwrap()
}

async fn reset(world: &World, email: &str) -> Offered {
    let user = users::find(&world.ctx, &Email::parse(email).unwrap()).await.unwrap();
    invitations::reset(&world.operator(), user.id).await.unwrap()
}

/// Opens a link as it came, and answers the page that it leads to.
async fn open(actor: &mut Actor, offered: &Offered) -> Answer {
    let answer = actor.get(offered.link.strip_prefix(ISSUER).unwrap()).await;
    assert_eq!(answer.location(), "/invitation", "the token leaves the address");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    actor.follow(&answer).await
}

fn token(offered: &Offered) -> &str {
    offered.link.split_once("token=").unwrap().1
}

async fn answer(actor: &mut Actor, page: &Answer, more: &[(&str, &str)]) -> Answer {
    let csrf = page.csrf();
    let mut fields = vec![("csrf", csrf.as_str()), ("new_password", NEW), ("new_password_again", NEW)];
    fields.extend(more);
    actor.post("/invitation", &fields).await
}

/// C6, N5, wire.md part 0: an invited person chooses a password and is signed in; the link is in no page, and good once.
async fn c6_n5_an_invitation_makes_a_user_once(world: World) {
    let offered = invite(&world, "lin@acme.test", Role::Member, Some("acme")).await;
    assert!(token(&offered).starts_with("lgv_") && !format!("{offered:?}").contains(token(&offered)));
    let mut lin = world.actor();
    let page = open(&mut lin, &offered).await.expect(200);
    assert!(page.text().contains("lin@acme.test") && !page.text().contains(token(&offered)));
    assert!(!page.text().contains("name=\"company\""), "the account is known");
    let mut again = lin.clone();
    assert_eq!(answer(&mut lin, &page, &[("name", "Lin Tester")]).await.location(), "/account");
    let home = lin.get("/account").await;
    assert!(home.text().contains("Lin Tester") && home.text().contains("Acme Mortgage"));
    assert!(lin.jar.value("_invitation_").is_none(), "the cookie is taken back");
    answer(&mut again, &page, &[("name", "Mallory")]).await.expect(410);
    open(&mut world.actor(), &offered).await.expect(410);
    log_in_with(&mut world.actor(), "lin@acme.test", NEW).await;
}

/// wire.md part 0: who is invited without an account names a company, and is a partner in the console.
async fn wire_0_an_invited_partner_names_a_company(world: World) {
    let offered = invite(&world, "lin@new.test", Role::Partner, None).await;
    let mut lin = world.actor();
    let page = open(&mut lin, &offered).await.expect(200);
    for (name, company, field) in [("", "New Co", "name"), ("Lin", "", "company")] {
        let refused = answer(&mut lin, &page, &[("name", name), ("company", company)]).await;
        assert_refused(&refused, field);
        assert!(!refused.text().contains(NEW));
    }
    let csrf = page.csrf();
    for (new, again, field) in [
        ("short", "short", "new_password"),
        (NEW, "other", "new_password_again"),
        ("lin@new.test", "lin@new.test", "new_password"),
    ] {
        let fields = [
            ("csrf", csrf.as_str()),
            ("name", "Lin"),
            ("company", "New Co"),
            ("new_password", new),
            ("new_password_again", again),
        ];
        assert_refused(&lin.post("/invitation", &fields).await, field);
    }
    assert_eq!(answer(&mut lin, &page, &[("name", "Lin"), ("company", "New Co")]).await.location(), "/console");
    let profile = lin.get("/account/profile").await;
    assert!(profile.text().contains("New Co") && profile.text().contains("Partner"));
}

/// F8: a reset by link ends sessions and connections; until it is used, the present password stays good.
async fn f8_a_reset_ends_what_was_open(world: World) {
    let (mut ada, _) = signed_in(&world, ADA).await;
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let offered = reset(&world, ADA).await;
    log_in(&mut world.actor(), ADA).await;
    assert!(!ada.get("/account").await.is_login_page(), "a link that was offered changes nothing");
    let mut other = world.actor();
    let page = open(&mut other, &offered).await.expect(200);
    assert!(!page.text().contains("name=\"name\""));
    assert_eq!(answer(&mut other, &page, &[]).await.location(), "/console", "where a partner works");
    assert!(ada.get("/account").await.is_login_page());
    world.me(&tokens.access).await.expect(401);
    assert_eq!(world.refresh(&tokens.refresh, APP_ONE).await.json()["valid"], false);
    assert!(!other.get("/account").await.is_login_page());
    log_in_with(&mut world.actor(), ADA, NEW).await;
}

/// C6, R14: a link that expired, was taken back, replaced, made up or belongs to a disabled user leads nowhere, and all
/// look alike.
async fn r14_a_link_that_is_over_leads_nowhere(world: World) {
    let replaced = reset(&world, ADA).await;
    let newer = reset(&world, ADA).await;
    let revoked = invite(&world, "lin@acme.test", Role::Member, Some("acme")).await;
    invitations::revoke(&world.operator(), revoked.invitation.id).await.unwrap();
    let again = invitations::revoke(&world.operator(), revoked.invitation.id).await;
    assert!(matches!(again, Err(InvitationError::Unknown)));
    let disabled = reset(&world, GRACE).await;
    let mut pages = vec![open(&mut world.actor(), &replaced).await.expect(410)];
    pages.push(open(&mut world.actor(), &revoked).await.expect(410));
    pages.push(world.get("/invitation").await.expect(410));
    let altered = format!("{}A", &token(&newer)[..token(&newer).len() - 1]);
    if altered != token(&newer) {
        let mut mallory = world.actor();
        let sent = mallory.get(&format!("/invitation?token={altered}")).await;
        pages.push(mallory.follow(&sent).await.expect(410));
    }
    // What the server cannot have written gets into no cookie.
    for made_up in ["x", "lgv_", "x%3B%20Max-Age%3D31536000%3B%20Domain%3Devil.example", &"x".repeat(5_000)] {
        let page = world.get(&format!("/invitation?token={made_up}")).await.expect(410);
        assert!(page.set_cookies().iter().all(|cookie| !cookie.contains("evil") && cookie.contains("Max-Age=0")));
        pages.push(page);
    }
    let mut grace = world.actor();
    let page = open(&mut grace, &disabled).await.expect(200);
    world.disable(GRACE).await;
    answer(&mut grace, &page, &[]).await.expect(410);
    let mut ada = world.actor();
    let page = open(&mut ada, &newer).await.expect(200);
    world.advance(24 * 3_600);
    pages.push(answer(&mut ada, &page, &[]).await.expect(410));
    let late = invite(&world, "late@acme.test", Role::Member, Some("acme")).await;
    world.advance(7 * 24 * 3_600);
    pages.push(open(&mut world.actor(), &late).await.expect(410));
    assert!(
        pages
            .iter()
            .all(|page| page.text().len() == pages[0].text().len() && page.text().contains("This link is over"))
    );
    log_in(&mut world.actor(), ADA).await;
}

/// F8: with a password that was changed otherwise, no link that was offered before sets another one.
async fn f8_a_changed_password_ends_open_links(world: World) {
    let offered = reset(&world, ADA).await;
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let fields =
        [("csrf", csrf.as_str()), ("present_password", PASSWORD), ("new_password", NEW), ("new_password_again", NEW)];
    ada.post("/account/password", &fields).await.location();
    open(&mut world.actor(), &offered).await.expect(410);
}

/// R8, C6: of two who use one link at once, on two nodes, one wins; the other changes nothing.
async fn r8_two_at_once_use_a_link_once(world: World) {
    let second = world.another_node().await;
    for round in 0..3 {
        let email = format!("lin{round}@acme.test");
        let offered = invite(&world, &email, Role::Member, Some("acme")).await;
        let mut here = world.actor();
        let page = open(&mut here, &offered).await.expect(200);
        let (mut one, mut other) = (here.clone(), here.at(&second));
        let (first, last) = tokio::join!(
            answer(&mut one, &page, &[("name", "First")]),
            answer(&mut other, &page, &[("name", "Last")]),
        );
        let mut statuses = [first.status, last.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 410]);
        let winner = if first.status == 303 { "First" } else { "Last" };
        assert!(log_in_with(&mut world.actor(), &email, NEW).await.text().contains(winner));
    }
}

/// C7: an invitation is not accepted by a form that is not this browser's.
async fn c7_an_invitation_cannot_be_accepted_from_elsewhere(world: World) {
    let offered = invite(&world, "lin@acme.test", Role::Member, Some("acme")).await;
    let mut lin = world.actor();
    let page = open(&mut lin, &offered).await;
    let foreign = world.actor().get("/account").await.csrf();
    for wrong in ["", "x", &foreign] {
        let fields = [("csrf", wrong), ("name", "Lin"), ("new_password", NEW), ("new_password_again", NEW)];
        lin.post("/invitation", &fields).await.expect(403);
    }
    answer(&mut lin, &page, &[("name", "Lin")]).await.location();
}

/// wire.md part 0: who is a user already is not invited, and an account has to be there.
async fn wire_0_an_invitation_is_checked_as_it_is_made(world: World) {
    let ask = |email: &str, account: Option<&str>| NewUser {
        email: Email::parse(email).unwrap(),
        role: Role::Member,
        account: account.map(|id| AccountId::parse(id).unwrap()),
    };
    let taken = invitations::invite(&world.operator(), ask(ADA, None)).await;
    assert!(matches!(taken, Err(InvitationError::Taken)));
    let nowhere = invitations::invite(&world.operator(), ask("lin@acme.test", Some("nowhere"))).await;
    assert!(matches!(nowhere, Err(InvitationError::UnknownAccount)));
    invite(&world, "lin@acme.test", Role::Member, Some("acme")).await;
    invite(&world, "lin@acme.test", Role::Admin, None).await;
    let open = invitations::list(&world.ctx, None, 10).await.unwrap();
    assert_eq!(open.iter().map(|one| one.role).collect::<Vec<_>>(), [Role::Admin], "the newest replaces the others");
}

both! {
    c6_n5_an_invitation_makes_a_user_once,
    wire_0_an_invited_partner_names_a_company,
    f8_a_reset_ends_what_was_open,
    r14_a_link_that_is_over_leads_nowhere,
    f8_a_changed_password_ends_open_links,
    c7_an_invitation_cannot_be_accepted_from_elsewhere,
    wire_0_an_invitation_is_checked_as_it_is_made,
}
both! { on many threads; r8_two_at_once_use_a_link_once }
