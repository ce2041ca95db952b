//! A browser in words that its user may recognise. Whatever it says it is, is text.

/// What names a browser, the more particular ones first: each claims to be those after it too.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// `None` for what is no browser that many people have.
pub fn described(user_agent: &str) -> Option<String> {
    let among = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = among(&BROWSERS)?;
    Some(among(&SYSTEMS).map_or_else(|| browser.to_owned(), |system| format!("{browser} ({system})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c14_a_browser_is_told_by_name_and_system() {
        for (user_agent, said) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome (Linux)",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge (Windows)",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
                "Safari (iPhone)",
            ),
            ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox (Android)"),
            ("Firefox/140.0", "Firefox"),
        ] {
            assert_eq!(described(user_agent).as_deref(), Some(said), "{user_agent}");
        }
        for other in ["", "curl/8.0", "<script>", "Linux"] {
            assert_eq!(described(other), None, "{other}");
        }
    }
}
