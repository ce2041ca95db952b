//! The texts of what all our own pages share: forms, lists, charts.

use super::Pattern;

#[derive(Debug)]
pub struct KitTexts {
    /// Behind the label of a field that has to be filled in.
    pub required: &'static str,
    pub problems: &'static str,
    pub cancel: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub copy_failed: &'static str,
    pub pages: &'static str,
    pub newest: &'static str,
    pub older: &'static str,
    /// Above what ends.
    pub ends: &'static str,
    pub shown_once: &'static str,
    pub shown_once_text: &'static str,
    pub figures: &'static str,
    pub day: &'static str,
    pub most_a_day: Pattern,
}

pub(super) const EN: KitTexts = KitTexts {
    required: "(required)",
    problems: "Something is not right yet",
    cancel: "Cancel",
    copy: "Copy",
    copied: "Copied",
    copy_failed: "Could not copy",
    pages: "Pages of the list",
    newest: "Newest",
    older: "Older",
    ends: "What ends with it",
    shown_once: "Copy this now",
    shown_once_text: "It is shown this one time: nobody can look it up here. Whoever has it can use it: keep it where your secrets are, or hand it over in a safe way.",
    figures: "Figures",
    day: "Day",
    most_a_day: Pattern("at most {} a day"),
};

pub(super) const ES: KitTexts = KitTexts {
    required: "(obligatorio)",
    problems: "Hay algo que corregir",
    cancel: "Cancelar",
    copy: "Copiar",
    copied: "Copiado",
    copy_failed: "No se pudo copiar",
    pages: "Páginas de la lista",
    newest: "Más recientes",
    older: "Anteriores",
    ends: "Lo que termina con ello",
    shown_once: "Cópialo ahora",
    shown_once_text: "Se muestra una sola vez: aquí nadie puede consultarlo. Quien lo tenga puede usarlo: guárdalo donde guardas tus secretos, o entrégalo de forma segura.",
    figures: "Cifras",
    day: "Día",
    most_a_day: Pattern("como máximo {} al día"),
};
