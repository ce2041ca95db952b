//! The fidelity ledger: what of the emulation is documented, what follows from that, and what was chosen.

use askama::Template;

use super::messages::Lang;
use super::page::Page;
use super::prose::Prose;

/// The ledger. Its rows are in English.
#[derive(Debug, Clone, Template)]
#[template(path = "fidelity.html")]
pub struct FidelityLedger {
    pub page: Page,
    pub surfaces: Vec<Surface>,
}

/// Behaviours that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surface {
    /// For links: the letter and number of wire.md.
    pub id: String,
    pub title: String,
    pub rows: Vec<LedgerRow>,
}

/// One behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    pub id: String,
    pub text: Prose,
    pub fidelity: Fidelity,
    pub source: String,
}

/// How sure it is that the real thing does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    Documented,
    Inferred,
    Ours,
}

impl Fidelity {
    /// As the ledger's JSON writes it, and the style sheet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fidelity::Documented => "documented",
            Fidelity::Inferred => "inferred",
            Fidelity::Ours => "ours",
        }
    }
}

impl FidelityLedger {
    /// One row of each kind.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let row = |id: &str, fidelity, text: &str| LedgerRow {
            id: id.to_owned(),
            text: Prose::of(text),
            fidelity,
            source: "LeadExec's documentation for partners".to_owned(),
        };
        let rows = vec![
            row("A2-lifetime", Fidelity::Documented, "An access token lives 3600 seconds."),
            row("A2-earlier", Fidelity::Inferred, "Earlier access tokens live on until they expire."),
            row("A2-refusals", Fidelity::Ours, "A refusal is 200 with `valid: false`."),
        ];
        let surface = Surface { id: "A2".to_owned(), title: "Refreshing".to_owned(), rows };
        Self { page: Page::sample(lang), surfaces: vec![surface] }
    }

    /// The word for a kind, in the page's language.
    fn word(&self, fidelity: Fidelity) -> &'static str {
        let text = &self.page.text().fidelity;
        match fidelity {
            Fidelity::Documented => text.documented,
            Fidelity::Inferred => text.inferred,
            Fidelity::Ours => text.ours,
        }
    }

    /// How many rows are of a kind.
    fn count(&self, fidelity: Fidelity) -> usize {
        self.surfaces.iter().flat_map(|surface| &surface.rows).filter(|row| row.fidelity == fidelity).count()
    }
}
