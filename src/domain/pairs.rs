//! The parameters of a request: names with values, each of which may come once.

use percent_encoding::percent_decode;
use url::form_urlencoded;

/// Name-value pairs of a query or a form (`application/x-www-form-urlencoded`), decoded once.
#[derive(Default)]
pub struct Pairs(Vec<(String, String)>);

/// A name that may come once came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

/// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// A form-url-encoded name or value as text (RFC 6749 appendix B), where there is but one way to read it.
pub fn decoded(encoded: &[u8]) -> Result<String, Unreadable> {
    if !encoded.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return String::from_utf8(encoded.to_vec()).map_err(|_| Unreadable);
    }
    let is_digit = |at: usize| encoded.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_stray = |(at, byte): (usize, &u8)| *byte == b'%' && !(is_digit(at + 1) && is_digit(at + 2));
    if encoded.iter().enumerate().any(is_stray) {
        return Err(Unreadable);
    }
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| Unreadable)
}

impl Pairs {
    /// Takes any bytes, as browsers do: a stray `%` stands for itself, and what is no UTF-8 becomes U+FFFD.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// Refuses what could only be read by a guess, so that a value goes back to its sender as it came.
    pub fn exact(bytes: &[u8]) -> Result<Self, Unreadable> {
        let decode = |pair: &[u8]| {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = equals.map_or((pair, &pair[..0]), |at| (&pair[..at], &pair[at + 1..]));
            Ok((decoded(name)?, decoded(value)?))
        };
        bytes
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(decode)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn of_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    /// The value; an empty one counts as absent (RFC 6749 section 3.1).
    pub fn get(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The first of `names` that comes more than once, with a value or without (RFC 6749 section 3.1). Names that a
    /// request has besides are nobody's business.
    pub fn repeated<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.get(name) == Err(Repeated))
    }

    /// The pairs as a query, in their order.
    pub fn to_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_comes_once_or_not_at_all() {
        let pairs = Pairs::parse(b"a=1&b=&c=x+y%26&c=z&%ff=1");
        assert_eq!(pairs.get("a"), Ok(Some("1")));
        assert_eq!(pairs.get("b"), Ok(None));
        assert_eq!(pairs.get("c"), Err(Repeated));
        assert_eq!(pairs.get("d"), Ok(None));
    }

    #[test]
    fn what_was_read_can_be_written_as_a_query() {
        let pairs = Pairs::exact(b"state=%26%23+%C3%A9&b=&state=2").unwrap();
        assert_eq!(pairs.to_query(), "state=%26%23+%C3%A9&b=&state=2");
    }

    #[test]
    fn b9_d12_a_repeated_name_is_told() {
        let pairs = Pairs::exact(b"a=1&b=1&b=2&c=&c=&x=1&x=2").unwrap();
        assert_eq!(pairs.repeated(&["a", "d"]), None);
        assert_eq!(pairs.repeated(&["a", "b", "c"]), Some("b"));
        assert_eq!(pairs.repeated(&["c"]), Some("c"));
    }

    #[test]
    fn an_exact_form_has_one_reading() {
        let pairs = Pairs::exact(b"&a=%C3%BC+%2b=%00&&b&=c&").unwrap();
        assert_eq!(pairs.get("a"), Ok(Some("\u{fc} +=\0")));
        assert_eq!(pairs.names().collect::<Vec<_>>(), ["a", "b", ""]);
        assert_eq!(pairs.get(""), Ok(Some("c")));
        for unreadable in ["%", "a=%", "a=%f", "a=%%41", "a=%zz", "%ff=1", "a=%c3", "a=%+1", "a=b&c=%"] {
            assert!(Pairs::exact(unreadable.as_bytes()).is_err(), "{unreadable}");
        }
        assert!(Pairs::exact(b"a=\xff").is_err());
    }
}
