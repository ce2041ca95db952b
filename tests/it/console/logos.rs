//! Logos (rule C16): what is uploaded is never what is served.

use std::io::Cursor;

use axum::body::Body;
use image::{DynamicImage, ImageFormat};
use leadgate::domain::event::Action;
use leadgate::images::MAX_BYTES;

use super::{assert_refused, error_of};
use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Actor, Answer, Click, PARTNER, World, both, connect_by_api};

pub const PAGE: &str = "/console/apps/studio/logo";
const BOUNDARY: &str = "----a-boundary";

pub fn picture(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(600, 300).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A part of a form with files (RFC 7578).
fn part(name: &str, more: &str, value: &[u8]) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    [head.as_bytes(), value, b"\r\n"].concat()
}

fn file_part(file: &[u8]) -> Vec<u8> {
    part("logo", "; filename=\"../../logo.svg\"\r\nContent-Type: image/svg+xml", file)
}

pub async fn send(actor: &mut Actor, path: &str, parts: &[Vec<u8>]) -> Answer {
    let body = [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", kind.as_str()), ("sec-fetch-site", "same-origin")];
    actor.send(None, request("POST", path, &headers, Body::from(body))).await
}

pub async fn upload(actor: &mut Actor, file: &[u8]) -> Answer {
    let csrf = actor.get(PAGE).await.expect(200).csrf();
    send(actor, PAGE, &[part("csrf", "", csrf.as_bytes()), file_part(file)]).await
}

fn address(page: &Answer) -> Option<String> {
    page.between("src=\"/logos/", "\"").map(|rest| format!("/logos/{rest}"))
}

/// C16: a picture is written anew, served as nothing else, and shown where users decide.
async fn c16_a_logo_is_shown(world: World) {
    let mut ada = world.signed_in(ADA).await;
    ada.make_button("studio", &[("id", "btn-own")]).await;
    for (format, nth) in [(ImageFormat::Png, 1), (ImageFormat::WebP, 2)] {
        let file = picture(format);
        assert_eq!(upload(&mut ada, &file).await.location(), "/console/apps/studio/logo?done=set");
        let shown = address(&ada.get(PAGE).await.expect(200)).unwrap();
        let logo = world.get(&shown).await.expect(200);
        assert_eq!(logo.header("content-type"), Some("image/png"));
        assert_eq!(logo.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(logo.header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert_eq!(logo.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert!(logo.body.starts_with(b"\x89PNG") && logo.body != file, "{format:?}");
        assert_eq!(world.events(Action::AppLogoSet).await.len(), nth);
    }
    connect_by_api(&world, ADA, "btn-own").await;
    for page in ["/console", "/console/apps/studio", "/account"] {
        assert!(address(&ada.get(page).await.expect(200)).is_some(), "{page}");
    }
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    assert_eq!(address(&ada.get(&opened.path).await.expect(200)), None, "which has none");
}

/// C16: the consent dialog has the logo.
async fn c16_the_dialog_shows_the_logo(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let page = format!("/console/apps/{APP_ONE}/logo");
    let csrf = ada.get(&page).await.expect(200).csrf();
    // In the other order.
    let parts = [file_part(&picture(ImageFormat::Png)), part("csrf", "", csrf.as_bytes())];
    assert_eq!(send(&mut ada, &page, &parts).await.status, 303);
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    let dialog = ada.get(&opened.path).await.expect(200);
    let shown = address(&dialog).unwrap();
    assert!(dialog.is_consent_page());
    world.get(&shown).await.expect(200);
    // One that is not the present one is not there.
    let mut other = shown.clone();
    other.replace_range(other.len() - 1.., if shown.ends_with('0') { "1" } else { "0" });
    for gone in [other.as_str(), "/logos/studio/0123456789abcdef", "/logos/x/y", "/logos/studio/..%2f"] {
        world.get(gone).await.expect(404);
    }
}

/// C16: what is no picture is refused with a sentence, and nothing changes.
async fn c16_what_is_no_picture_is_refused(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let png = picture(ImageFormat::Png);
    let polyglot = [png.clone(), b"<script>alert(1)</script>".to_vec()].concat();
    let large = vec![0; MAX_BYTES + 1];
    let mut sentences = Vec::new();
    for file in [
        &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..],
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"GIF89a",
        b"",
        &polyglot,
        &png[..png.len() - 20],
        &large,
    ] {
        let answer = upload(&mut ada, file).await;
        assert_refused(&answer, "logo");
        sentences.push(error_of(&answer, "logo").unwrap().to_owned());
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 5, "each says what it is: {sentences:?}");
    assert_eq!(address(&ada.get(PAGE).await.expect(200)), None);
    assert!(world.events(Action::AppLogoSet).await.is_empty());
}

/// C7, R3: an upload needs the CSRF token, and is bounded in every way.
async fn c7_r3_an_upload_is_guarded(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let csrf = ada.get(PAGE).await.expect(200).csrf();
    let (token, file) = (part("csrf", "", csrf.as_bytes()), file_part(&picture(ImageFormat::Png)));
    send(&mut ada, PAGE, std::slice::from_ref(&file)).await.expect(403);
    send(&mut ada, PAGE, &[part("csrf", "", b"x"), file.clone()]).await.expect(403);
    send(&mut world.actor(), PAGE, &[token.clone(), file.clone()]).await.expect(403);
    let body = [token.clone(), file.clone(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", kind.as_str()), ("sec-fetch-site", "cross-site")];
    ada.send(None, request("POST", PAGE, &headers, Body::from(body))).await.expect(403);
    let other = vec![part("more", "", b"x"); 9];
    send(&mut ada, PAGE, &[vec![token.clone()], other].concat()).await.expect(400);
    send(&mut ada, PAGE, &[token.clone(), file_part(&vec![0; 2 * MAX_BYTES])]).await.expect(413);
    ada.post(PAGE, &[("csrf", &csrf)]).await.expect(415);
    let broken = request("POST", PAGE, &[("content-type", kind.as_str())], Body::from("--nothing"));
    ada.send(None, broken).await.expect(400);
    assert!(world.events(Action::AppLogoSet).await.is_empty());
}

async fn a_logo_is_removed(world: World) {
    let mut ada = world.signed_in(ADA).await;
    assert_eq!(upload(&mut ada, &picture(ImageFormat::Png)).await.status, 303);
    let shown = address(&ada.get(PAGE).await.expect(200)).unwrap();
    let remove = format!("{PAGE}/remove");
    assert_eq!(ada.submit_to(PAGE, &remove, &[]).await.location(), "/console/apps/studio/logo?done=removed");
    world.get(&shown).await.expect(404);
    assert_eq!(address(&ada.get(PAGE).await.expect(200)), None);
    ada.submit_to(PAGE, &remove, &[]).await;
    assert_eq!(world.events(Action::AppLogoRemoved).await.len(), 1, "of one that was there");
}

both!(
    a_logo_is_removed,
    c16_a_logo_is_shown,
    c16_the_dialog_shows_the_logo,
    c16_what_is_no_picture_is_refused,
    c7_r3_an_upload_is_guarded,
);
