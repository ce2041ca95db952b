//! The texts around the documentation, which itself is in English.

use super::Pattern;

#[derive(Debug)]
pub struct DocsTexts {
    pub title: &'static str,
    /// Of the list of pages.
    pub pages: &'static str,
    /// Of the list of a page's headings.
    pub on_this_page: &'static str,
    pub search: &'static str,
    pub find: &'static str,
    pub found: Pattern,
    pub found_nothing: Pattern,
    pub before: &'static str,
    pub after: &'static str,
    /// Above buttons that work.
    pub preview: &'static str,
}

pub(super) const EN: DocsTexts = DocsTexts {
    title: "Docs",
    pages: "All pages",
    on_this_page: "On this page",
    search: "Search the documentation",
    find: "Search",
    found: Pattern("Best matches for “{}”"),
    found_nothing: Pattern(
        "Nothing has all the words of “{}”. Try fewer of them, or the name of a setting, a command or an error code.",
    ),
    before: "Before",
    after: "Next",
    preview: "Live on this server",
};

pub(super) const ES: DocsTexts = DocsTexts {
    title: "Documentación",
    pages: "Todas las páginas",
    on_this_page: "En esta página",
    search: "Buscar en la documentación (en inglés)",
    find: "Buscar",
    found: Pattern("Lo que mejor coincide con «{}»"),
    found_nothing: Pattern(
        "Nada contiene todas las palabras de «{}». Prueba con menos, o con el nombre de un ajuste, de un comando o de un código de error.",
    ),
    before: "Anterior",
    after: "Siguiente",
    preview: "En vivo en este servidor",
};
