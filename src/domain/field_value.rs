//! The value of a lead's field: a text, a number or a truth value, as it was sent. Forms send numbers as texts, so that two
//! values are numbers to each other where one of them is one and the other reads as one.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

/// The fields of a lead, by name.
pub type Fields = Map<String, Value>;

/// The value of a field, whatever the case of its name.
pub fn find<'f>(fields: &'f Fields, name: &str) -> Option<&'f Value> {
    fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether there is nothing in it.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// As a text; a list or an object has none.
pub fn text(value: &Value) -> String {
    borrowed(value).into_owned()
}

fn borrowed(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::Null | Value::Array(_) | Value::Object(_) => "".into(),
    }
}

/// The first bytes of it as a text, `most` at most, and whole characters.
pub fn beginning(value: &Value, most: usize) -> Box<str> {
    let text = borrowed(value);
    text[..text.floor_char_boundary(most)].into()
}

/// Bytes of the fields as they are kept: as JSON.
pub fn kept_bytes(fields: &Fields) -> usize {
    let member = |(name, value): (&String, &Value)| {
        let value = if let Value::String(text) = value { json_bytes(text) } else { borrowed(value).len().max(4) };
        // With a colon and a comma.
        json_bytes(name) + value + 2
    };
    1 + fields.iter().map(member).sum::<usize>()
}

/// Bytes of a text in JSON: most of what cannot be seen takes six.
pub fn json_bytes(text: &str) -> usize {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' | 0x08..=0x0a | 0x0c | 0x0d => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(byte).sum::<usize>()
}

/// As a number, if it is one or reads as one: digits, perhaps a sign before and a fraction behind them.
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_in(text.trim()),
        _ => None,
    };
    // Of the two zeros there are, the one.
    number.map(|number| number + 0.0)
}

fn number_in(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = are_digits(whole) && are_digits(fraction);
    text.parse().ok().filter(|number: &f64| is_number && number.is_finite())
}

/// How a field compares to what is asked for: as numbers where one of the two is a number and the other reads as one, as
/// texts otherwise.
pub fn compare(own: &Value, asked: &Value) -> Ordering {
    let is_numeric = own.is_number() || asked.is_number();
    // Of two texts neither is read, or copied: a query compares a great many.
    match is_numeric.then(|| number(own).zip(number(asked))).flatten() {
        Some((own, asked)) => own.total_cmp(&asked),
        None => borrowed(own).cmp(&borrowed(asked)),
    }
}

/// What is compared where no two may be alike: space around it and the case of its letters do not tell two apart.
pub fn folded(value: &Value) -> String {
    text(value).trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn part_c_a_text_of_digits_is_a_number_to_a_number() {
        assert_eq!(compare(&json!("95000"), &json!(200_000)), Ordering::Less);
        assert_eq!(compare(&json!(95_000), &json!("200000")), Ordering::Less);
        assert_eq!(compare(&json!("95000"), &json!("200000")), Ordering::Greater, "two texts are texts");
        assert_eq!(compare(&json!("02134"), &json!("2134")), Ordering::Less, "as ZIP codes are");
        assert_eq!(compare(&json!("2.50"), &json!(2.5)), Ordering::Equal);
        assert_eq!(compare(&json!("abc"), &json!(5)), Ordering::Greater);
        assert_eq!(compare(&json!("-0"), &json!(0)), Ordering::Equal);
        assert_eq!(compare(&json!(true), &json!("true")), Ordering::Equal);
    }

    #[test]
    fn part_c_bytes_are_counted_as_they_are_kept() {
        let fields = json!({"a\"": "é \n\t\r\u{8}\u{c}\0\\", "n": -1.25, "t": true, "z": null});
        let kept = fields.to_string().len();
        assert!((kept..kept + 4).contains(&kept_bytes(fields.as_object().unwrap())), "{kept}");
    }

    #[test]
    fn part_c_only_digits_read_as_a_number() {
        for text in ["", "-", ".", "1.", ".5", "+1", "1e3", "inf", "NaN", "0x10", "1 000", "١"] {
            assert_eq!(number(&json!(text)), None, "{text}");
        }
        assert_eq!(number(&json!(" -12.5 ")), Some(-12.5));
    }

    #[test]
    fn part_c_a_field_is_found_whatever_its_case() {
        let fields = json!({"FirstName": "Ada"});
        assert_eq!(find(fields.as_object().unwrap(), "firstname"), Some(&json!("Ada")));
        assert_eq!(find(fields.as_object().unwrap(), "First"), None);
        assert!(is_blank(&json!(" ")) && is_blank(&json!(null)) && !is_blank(&json!(0)) && !is_blank(&json!(false)));
        assert_eq!(folded(&json!(" Ada@Acme.TEST ")), "ada@acme.test");
    }
}
