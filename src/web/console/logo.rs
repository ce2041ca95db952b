//! An application's logo: the only form here that carries a file.

use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, Path};
use axum::response::Response;

use super::{Answer, Body, Partner, Visit, head};
use crate::domain::app::App;

use crate::services::console::{self, ConsoleError};
use crate::services::logos::{LogoError, MAX_BYTES, PictureError};
use crate::views::messages::ConsoleTexts;
use crate::views::{ConsoleForm, Form, FormField, Problem};
use crate::web::urls::route;

/// Largest body of an upload, in bytes: a picture, and what a form has around it.
pub const MAX_BODY: usize = MAX_BYTES + 64 * 1024;
/// Fields that are looked at.
const MAX_FIELDS: usize = 8;
/// Longest value of another field, in bytes.
const MAX_VALUE: usize = 1_024;

fn form(partner: &Partner, app: &App) -> Form {
    let text = &partner.text().logo;
    let file = FormField::file("logo", text.file, "image/png,image/webp").hint(text.file_hint).required();
    Form::new(partner.app_page(route::CONSOLE_APP_LOGO, app), partner.csrf(), text.submit).with(file)
}

fn page(partner: &Partner, app: &App, form: Form) -> Response {
    let text = &partner.text().logo;
    let remove = Form::new(partner.app_page(route::CONSOLE_APP_LOGO_REMOVE, app), partner.csrf(), text.remove);
    let head = head(partner, app, route::CONSOLE_APP_LOGO);
    partner.page(Partner::status_of(&form), |page| ConsoleForm {
        notice: partner.notice(&[("set", text.set), ("removed", text.removed)]),
        picture: partner.web().urls.logo(app),
        others: app.logo.is_some().then(|| (String::new(), remove.dangerous())).into_iter().collect(),
        ..ConsoleForm::new(page, head, text.text, form)
    })
}

pub async fn ask(visit: Visit, Path(id): Path<String>) -> Answer {
    let partner = visit.partner().await?;
    let app = partner.app(&id).await?;
    let form = form(&partner, &app);
    Ok(page(&partner, &app, form))
}

pub async fn upload(visit: Visit, Path(id): Path<String>, body: Result<Multipart, MultipartRejection>) -> Answer {
    let body = body.map_err(|_| visit.refused(Problem::UnsupportedMediaType))?;
    let Upload { csrf, file } = Upload::read(body).await.map_err(|problem| visit.refused(problem))?;
    let partner = visit.proven(&csrf).await?;
    let app = partner.app(&id).await?;
    let mut form = form(&partner, &app);
    let text = partner.text();
    let set = match file {
        File::Missing => {
            form.refuse("logo", text.logo.missing);
            return Ok(page(&partner, &app, form));
        }
        File::TooLong => Err(ConsoleError::Logo(LogoError::Picture(PictureError::TooLong))),
        File::Bytes(file) => console::set_logo(&partner.acting(), partner.user(), &id, file).await,
    };
    match set {
        Ok(_) => Ok(partner.go(&partner.app_page(route::CONSOLE_APP_LOGO, &app), "set")),
        Err(ConsoleError::Logo(LogoError::Picture(why))) => {
            form.refuse("logo", sentence(why, text));
            Ok(page(&partner, &app, form))
        }
        Err(error) => Err(partner.failed(&error)),
    }
}

fn sentence(why: PictureError, text: &ConsoleTexts) -> &'static str {
    match why {
        PictureError::TooLong => text.logo.too_long,
        PictureError::OtherFormat => text.logo.other_format,
        PictureError::TooLarge => text.logo.too_large,
        PictureError::Trailing => text.logo.trailing,
        PictureError::Broken => text.logo.broken,
    }
}

pub async fn remove(visit: Visit, Path(id): Path<String>, body: Body) -> Answer {
    let (partner, _) = visit.posted(body).await?;
    let app = partner.app(&id).await?;
    let removed = console::remove_logo(&partner.acting(), partner.user(), &id).await;
    removed.map_err(|error| partner.failed(&error))?;
    Ok(partner.go(&partner.app_page(route::CONSOLE_APP_LOGO, &app), "removed"))
}

/// What the form says, in whatever order. Neither the file's name nor the type that it claims is looked at.
struct Upload {
    csrf: String,
    file: File,
}

enum File {
    Missing,
    TooLong,
    Bytes(Vec<u8>),
}

impl Upload {
    async fn read(mut body: Multipart) -> Result<Self, Problem> {
        let mut upload = Self { csrf: String::new(), file: File::Missing };
        for _ in 0..MAX_FIELDS {
            let Some(field) = body.next_field().await.map_err(|error| problem(&error))? else { return Ok(upload) };
            match field.name() {
                Some("csrf") => {
                    upload.csrf =
                        String::from_utf8(bytes(field, MAX_VALUE).await?.unwrap_or_default()).unwrap_or_default()
                }
                Some("logo") => upload.file = bytes(field, MAX_BYTES).await?.map_or(File::TooLong, file),
                _ => _ = bytes(field, MAX_VALUE).await?,
            }
        }
        Err(Problem::InvalidRequest)
    }
}

/// A browser sends an empty file where none was chosen.
fn file(bytes: Vec<u8>) -> File {
    if bytes.is_empty() { File::Missing } else { File::Bytes(bytes) }
}

/// A field's value; `None` where it is longer than `most`, of which no more is kept than that.
async fn bytes(mut field: Field<'_>, most: usize) -> Result<Option<Vec<u8>>, Problem> {
    let mut bytes = Vec::new();
    let mut is_whole = true;
    while let Some(chunk) = field.chunk().await.map_err(|error| problem(&error))? {
        is_whole &= bytes.len() + chunk.len() <= most;
        if is_whole {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(is_whole.then_some(bytes))
}

fn problem(error: &axum::extract::multipart::MultipartError) -> Problem {
    match error.status().as_u16() {
        413 => Problem::TooLarge,
        _ => Problem::InvalidRequest,
    }
}
