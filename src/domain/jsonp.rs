//! Names of functions that JSONP calls (wire.md A3).

use super::pairs::Pairs;

/// The name of a function on the caller's page.
#[derive(Debug, PartialEq, Eq)]
pub struct Callback(String);

/// A callback that is anything but a name. It is not echoed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAName;

/// Parts of a dotted name, and characters of a part.
const MAX_PARTS: usize = 5;
const MAX_PART: usize = 64;

impl Callback {
    /// `None` where no callback is asked for. `callback[]` and a repeated callback are refused.
    pub fn of(query: &Pairs) -> Result<Option<Self>, NotAName> {
        let is_list = |name: &str| name.starts_with("callback[");
        if !query.names().any(|name| name == "callback" || is_list(name)) {
            return Ok(None);
        }
        match query.get("callback") {
            _ if query.names().any(is_list) => Err(NotAName),
            Ok(Some(name)) if is_name(name) => Ok(Some(Self(name.to_owned()))),
            _ => Err(NotAName),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `^[A-Za-z_$][\w$]{0,63}(\.[A-Za-z_$][\w$]{0,63}){0,4}$`
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'))
            && part.len() <= MAX_PART
            && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
    };
    text.split('.').count() <= MAX_PARTS && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o2_o3_a_callback_is_a_dotted_name() {
        let parsed = |query: &str| Callback::of(&Pairs::of_query(Some(query)));
        assert_eq!(parsed("_=1"), Ok(None));
        for good in ["jQuery111_1699", "$", "_", "a.b.c.d.e", "package.myCallback"] {
            assert_eq!(parsed(&format!("callback={good}")), Ok(Some(Callback(good.into()))), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "callback=",
            "callback=1a",
            "callback=alert(1)//",
            "callback=a;b",
            "callback=a(",
            "callback=%0a",
            "callback=</script>",
            "callback=%E2%80%A8",
            "callback=a.b.c.d.e.f",
            "callback=a..b",
            "callback=.a",
            "callback[]=a",
            "callback=a&callback[]=a",
            "callback=a&callback=b",
            "callback=a%00",
            &format!("callback={long}"),
        ] {
            assert_eq!(parsed(bad), Err(NotAName), "{bad}");
        }
    }
}
