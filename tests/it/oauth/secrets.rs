//! A run through everything that the standard grants do with a secret, for the searches of `crate::secrets`.

use super::support::{Ask, Auth, Client, DEVICE_GRANT, Issued, POCKET, STUDIO, basic, keyed};
use crate::support::http::{form, request};
use crate::support::{ADA, PASSWORD, World};

const SECRET: &str = "studio-client-secret";

/// Well and badly used; answers the secrets. `typed` is a password that was typed by mistake.
pub async fn run(world: &World, typed: &'static str) -> Vec<String> {
    let mut secrets = vec![SECRET.to_owned(), basic(STUDIO.id, SECRET).replace("Basic ", "")];
    for client in [STUDIO, STUDIO.by(Auth::Post(SECRET)), POCKET] {
        secrets.extend(run_as(world, &client).await);
    }
    STUDIO.by(Auth::Basic(typed)).token(world, &[("grant_type", "client_credentials")]).await.expect(401);
    STUDIO.by(Auth::Post(typed)).token(world, &[("grant_type", "client_credentials")]).await.expect(401);
    let assertion = keyed().credentials(world).1.pop().unwrap().1;
    let fields = [("grant_type", "client_credentials"), ("client_assertion", &assertion)];
    let fields = [&fields[..], &[("client_assertion_type", super::support::ASSERTION_TYPE)]].concat();
    for status in [200, 401] {
        keyed().by(Auth::None).token(world, &fields).await.expect(status);
    }
    secrets.push(assertion);
    for (password, status) in [(PASSWORD, 200), (typed, 400)] {
        let fields = [("grant_type", "password"), ("username", ADA), ("password", password)];
        let answer = STUDIO.token(world, &fields).await.expect(status).json();
        secrets.extend(
            ["access_token", "refresh_token"].iter().filter_map(|name| answer[*name].as_str()).map(str::to_owned),
        );
    }
    secrets
}

async fn run_as(world: &World, client: &Client) -> Vec<String> {
    let ask = Ask::of(client).with("scope", "openid account_api");
    let code = world.actor().allow(&ask, ADA).await.code();
    let first = Issued::of(&client.redeem(world, &ask, &code).await);
    let second = Issued::of(&client.refresh(world, first.refresh()).await);
    client.refresh(world, &format!("{}x", second.refresh())).await.expect(400);
    world.me(&second.access).await.expect(200);
    world.me(&format!("{}x", second.access)).await.expect(401);
    world.get(&format!("/oauth/token?refresh_token={}", second.refresh())).await.expect(405);
    world.get(&format!("/oauth/logout?id_token_hint={}", first.id_token())).await.expect(200);
    client.revoke(world, &second.access).await.expect(200);
    client.redeem(world, &ask, &code).await.expect(400);
    client.refresh(world, second.refresh()).await.expect(400);
    let burnt = ask.allowed(world, ADA).await.code();
    let wrong = Ask { verifier: "wrong-verifier-".repeat(4), ..ask.clone() };
    client.redeem(world, &wrong, &burnt).await.expect(400);

    let pushed: Vec<_> = ask.pairs().into_iter().filter(|(name, _)| *name != "client_id").collect();
    let uri = client.post(world, "/oauth/par", &pushed).await.expect(201).json()["request_uri"].clone();
    let uri = uri.as_str().unwrap();
    let address = format!("/oauth/authorize?{}", form(&[("client_id", client.id), ("request_uri", uri)]));
    for status in [303, 400] {
        world.send(request("GET", &address, &[], "")).await.expect(status);
    }
    let device = client.post(world, "/oauth/device_authorization", &[]).await.expect(200).json();
    let device_code = device["device_code"].as_str().unwrap();
    client.token(world, &[("grant_type", DEVICE_GRANT), ("device_code", device_code)]).await.expect(400);
    let mut secrets: Vec<String> = [&code, &burnt, &ask.verifier, &wrong.verifier].map(ToString::to_string).into();
    secrets.push(uri.rsplit(':').next().unwrap().to_owned());
    secrets.push(device_code.to_owned());
    for issued in [&first, &second] {
        secrets.extend([issued.access.clone(), issued.refresh().to_owned(), issued.id_token().to_owned()]);
    }
    secrets
}
