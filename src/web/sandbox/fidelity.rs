//! The fidelity ledger: as JSON for programs, and as a page for people.

mod ledger;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Web;
use super::super::extract::prefers_html;
use super::super::login::frame_for_visitor;
use super::super::page::{self, Kind};
use super::super::urls::route;
use super::values::ok;
use crate::views::{FidelityLedger, LedgerRow, Prose, Surface};
use ledger::{Behaviour, LEDGER, SURFACES};

pub fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::default().routes(routes!(show))
}

/// The ledger.
#[derive(Serialize, ToSchema)]
struct Ledger {
    behaviours: Vec<BehaviourObject>,
}

/// One behaviour of the emulation.
#[derive(Serialize, ToSchema)]
struct BehaviourObject {
    #[schema(example = "A2-lifetime")]
    id: &'static str,
    /// The part of the contract: a letter, and a number where the part has them.
    #[schema(example = "A2")]
    surface: &'static str,
    #[schema(example = "An access token lives 3600 seconds.")]
    behaviour: &'static str,
    /// `documented`, `inferred` or `ours`.
    #[schema(example = "documented")]
    fidelity: &'static str,
    /// Who says so.
    source: &'static str,
    /// The routes that it is seen at.
    routes: &'static [&'static str],
}

impl From<&Behaviour> for BehaviourObject {
    fn from(row: &Behaviour) -> Self {
        Self {
            id: row.id,
            surface: row.surface,
            behaviour: row.text,
            fidelity: row.fidelity.as_str(),
            source: row.source,
            routes: row.routes,
        }
    }
}

/// Read the fidelity ledger
///
/// What of the emulation is documented, what follows from that, and what was chosen. A browser gets a page.
#[utoipa::path(
    get,
    path = route::SANDBOX_FIDELITY,
    tag = "documentation",
    operation_id = "readFidelity",
    responses((status = 200, description = "The ledger; for `Accept: text/html` as a page.", body = Ledger)),
)]
async fn show(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let mut response = if prefers_html(&headers) {
        let frame = frame_for_visitor(&web, &headers).await;
        let nonce = frame.nonce.clone();
        let surfaces = SURFACES.iter().map(|(id, title)| surface(id, title)).collect();
        page::render(Kind::Plain, StatusCode::OK, &nonce, &FidelityLedger { page: frame, surfaces })
    } else {
        ok(&Ledger { behaviours: LEDGER.iter().map(BehaviourObject::from).collect() })
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn surface(id: &str, title: &str) -> Surface {
    let rows = LEDGER.iter().filter(|row| row.surface == id).map(|row| LedgerRow {
        id: row.id.to_owned(),
        text: Prose::of(row.text),
        fidelity: row.fidelity,
        source: row.source.to_owned(),
    });
    Surface { id: id.to_owned(), title: title.to_owned(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;

    /// Set, it lets the test below write the page instead of comparing it.
    const WRITE: &str = "LEADGATE_WRITE_FIDELITY";

    const INTRODUCTION: &str = "# The fidelity ledger

What this server does as LeadExec or a standard says, what follows from that, and what was chosen because nobody says. A
running sandbox has the same rows at `/_sandbox/fidelity`, as a page and as JSON. This page is written from the program
itself: `LEADGATE_WRITE_FIDELITY=1 cargo test --lib fidelity` writes it, and a test fails where it differs.

| | means |
| --- | --- |
| documented | LeadExec, or the standard that is named, says so |
| inferred | it follows from what is documented, or is what its examples show |
| ours | nobody says; it was chosen, and the real thing may do otherwise |
";

    fn page() -> String {
        let mut text = INTRODUCTION.to_owned();
        for (id, title) in SURFACES {
            let _ = write!(text, "\n## {id} {title}\n\n| | behaviour | who says so |\n| --- | --- | --- |\n");
            for row in LEDGER.iter().filter(|row| row.surface == id) {
                let (text_of_row, source) = (row.text.replace('|', "\\|"), row.source.replace('|', "\\|"));
                let _ = writeln!(text, "| {} | {text_of_row} | {source} |", row.fidelity.as_str());
            }
        }
        text
    }

    #[test]
    fn docs_fidelity_md_is_what_the_ledger_is() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fidelity.md");
        let page = page();
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page, "docs/fidelity.md is not what the ledger is: run this test with {WRITE}=1");
    }
}
