//! The page that has the figures: prose around what a run writes.

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

/// Puts the text between the page's markers.
pub fn write(path: &str, text: &str) -> Result<(), String> {
    let page = std::fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))?;
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{path} has no {BEGIN} and {END}"))?;
    let page = format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim());
    std::fs::write(path, page).map_err(|why| format!("{path}: {why}"))
}
