//! The grammar of `Authorization` and `WWW-Authenticate` where a scheme has parameters (RFC 9110 section 11): what a
//! stranger sends, read within bounds and with one reading.

/// Longest field value, in bytes, and most parameters of one scheme.
pub const MAX_VALUE: usize = 8 * 1024;
pub const MAX_PARAMS: usize = 32;

/// A field that has no reading, or more than one: a name that comes twice, a quote without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parameters of the authentication scheme cannot be read")]
pub struct Malformed;

/// A scheme with its parameters: credentials, or one challenge. Its `Debug` shows the names alone.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthParams {
    pub scheme: String,
    params: Vec<(String, String)>,
}

impl std::fmt::Debug for AuthParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.params.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("AuthParams").field("scheme", &self.scheme).field("names", &names).finish()
    }
}

impl AuthParams {
    /// The only credentials of an `Authorization` field.
    pub fn credentials(value: &[u8]) -> Result<Self, Malformed> {
        match <[Self; 1]>::try_from(Self::challenges(value)?) {
            Ok([only]) => Ok(only),
            Err(_) => Err(Malformed),
        }
    }

    /// Each challenge of one `WWW-Authenticate` field (RFC 9110 section 11.6.1).
    pub fn challenges(value: &[u8]) -> Result<Vec<Self>, Malformed> {
        if value.len() > MAX_VALUE {
            return Err(Malformed);
        }
        Reader { rest: value }.challenges()
    }

    /// Names are compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Each parameter, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    fn push(&mut self, name: &str, value: String) -> Result<(), Malformed> {
        if self.get(name).is_some() || self.params.len() == MAX_PARAMS {
            return Err(Malformed);
        }
        self.params.push((name.to_owned(), value));
        Ok(())
    }
}

struct Reader<'v> {
    rest: &'v [u8],
}

impl<'v> Reader<'v> {
    fn challenges(mut self) -> Result<Vec<AuthParams>, Malformed> {
        let mut found: Vec<AuthParams> = Vec::new();
        loop {
            self.skip(b" \t,");
            if self.rest.is_empty() {
                return Ok(found);
            }
            let word = self.token()?;
            let had_space = self.skip(b" \t");
            if self.rest.first() == Some(&b'=') {
                self.rest = &self.rest[1..];
                self.skip(b" \t");
                let value = self.value()?;
                found.last_mut().ok_or(Malformed)?.push(word, value)?;
                self.end_of_item()?;
            } else if had_space || matches!(self.rest.first(), None | Some(b',')) {
                found.push(AuthParams { scheme: word.to_owned(), params: Vec::new() });
            } else {
                return Err(Malformed);
            }
        }
    }

    /// Whether there was any of them.
    fn skip(&mut self, any: &[u8]) -> bool {
        let end = self.rest.iter().position(|byte| !any.contains(byte)).unwrap_or(self.rest.len());
        self.rest = &self.rest[end..];
        end > 0
    }

    fn token(&mut self) -> Result<&'v str, Malformed> {
        let end = self.rest.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        if token.is_empty() { Err(Malformed) } else { std::str::from_utf8(token).map_err(|_| Malformed) }
    }

    fn value(&mut self) -> Result<String, Malformed> {
        match self.rest.strip_prefix(b"\"") {
            Some(rest) => {
                self.rest = rest;
                self.quoted()
            }
            None => self.token().map(str::to_owned),
        }
    }

    /// After its first quote (RFC 9110 section 5.6.4), in UTF-8.
    fn quoted(&mut self) -> Result<String, Malformed> {
        let mut text = Vec::new();
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return String::from_utf8(text).map_err(|_| Malformed);
                }
                [b'\\', escaped, rest @ ..] if is_text_byte(*escaped) => {
                    text.push(*escaped);
                    self.rest = rest;
                }
                [byte, rest @ ..] if *byte != b'\\' && is_text_byte(*byte) => {
                    text.push(*byte);
                    self.rest = rest;
                }
                _ => return Err(Malformed),
            }
        }
    }

    fn end_of_item(&mut self) -> Result<(), Malformed> {
        self.skip(b" \t");
        if matches!(self.rest.first(), None | Some(b',')) { Ok(()) } else { Err(Malformed) }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_text_byte(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

/// Whether a text can be the name of a scheme (RFC 9110 section 5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// A text as a quoted string has it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q8_credentials_have_one_reading() {
        let read = AuthParams::credentials(b"Digest username=\"a \\\"b\\\"\" ,nc=00000001,\turi=\"/x?y,z\"").unwrap();
        assert!(read.is("digest"));
        assert_eq!((read.get("Username"), read.get("nc")), (Some("a \"b\""), Some("00000001")));
        assert_eq!(read.get("uri"), Some("/x?y,z"));
        assert!(!format!("{read:?}").contains("00000001"));
        let many = format!("Digest {}", (0..1_000).map(|i| format!("p{i}=1")).collect::<Vec<_>>().join(","));
        for bad in [
            "Digest username=\"a",
            "Digest username=\"a\\",
            "Digest a=1, a=2",
            "Digest a=1, A=2",
            "Digest a=1 b=2",
            "Digest a=",
            "Digest =a",
            "Digest a=\"b\"c",
            "Digest a=\"\u{1}\"",
            "Digest a=1, Basic b=2",
            "a=1",
            "",
            many.as_str(),
        ] {
            assert_eq!(AuthParams::credentials(bad.as_bytes()), Err(Malformed), "{bad}");
        }
        assert_eq!(AuthParams::credentials(b"Digest a=\"\xff\""), Err(Malformed));
        assert_eq!(AuthParams::credentials(&[b'a'; MAX_VALUE + 1]), Err(Malformed));
    }

    #[test]
    fn q1_a_field_may_hold_several_challenges() {
        let read =
            AuthParams::challenges(b"Digest realm=\"a, b\", nonce=\"n\", Basic realm=\"x\" , Negotiate").unwrap();
        let schemes: Vec<_> = read.iter().map(|one| (one.scheme.as_str(), one.get("realm"))).collect();
        assert_eq!(schemes, [("Digest", Some("a, b")), ("Basic", Some("x")), ("Negotiate", None)]);
    }

    #[test]
    fn q7_what_is_quoted_is_read_back() {
        for text in ["", "a\"b\\c", "bücher, €"] {
            let header = format!("Digest username={}", quoted(text));
            assert_eq!(AuthParams::credentials(header.as_bytes()).unwrap().get("username"), Some(text));
        }
    }
}
