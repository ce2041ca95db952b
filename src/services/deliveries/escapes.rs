//! A text as those read it who undo its escapes: a secret is found in what is read, and hidden where it was written.

use std::ops::Range;

/// Escapes within escapes that are undone: of a body of JSON that holds another as a text.
const DEPTH: usize = 2;

/// What begins with an escape: its bytes are added, and how long it was is answered; 0 where there is none.
type Escape = fn(&[u8], &mut Vec<u8>) -> usize;

const ESCAPES: [Escape; 4] = [json, percent, form, entity];

/// One way to read a text.
pub struct Reading {
    bytes: Vec<u8>,
    /// Where each byte was written, and where the text ends.
    from: Vec<usize>,
}

/// Each way to read a text, as it is written among them.
pub fn readings(text: &[u8]) -> Vec<Reading> {
    let mut all = vec![Reading { bytes: text.to_vec(), from: (0..=text.len()).collect() }];
    let mut done = 0;
    for _ in 0..DEPTH {
        let deeper: Vec<_> =
            all[done..].iter().flat_map(|reading| ESCAPES.iter().filter_map(|escape| reading.undo(*escape))).collect();
        done = all.len();
        all.extend(deeper);
    }
    all
}

impl Reading {
    /// `None` where nothing is escaped so.
    fn undo(&self, escape: Escape) -> Option<Self> {
        let (mut bytes, mut from, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(byte) = self.bytes.get(at) {
            let length = match escape(&self.bytes[at..], &mut bytes) {
                0 => {
                    bytes.push(*byte);
                    1
                }
                length => length,
            };
            from.resize(bytes.len(), self.from[at]);
            at += length;
        }
        from.push(*self.from.last()?);
        (bytes != self.bytes).then_some(Self { bytes, from })
    }

    /// Where something was written.
    pub fn find<'r>(&'r self, secret: &'r [u8]) -> impl Iterator<Item = Range<usize>> + 'r {
        let found = self.bytes.windows(secret.len()).enumerate().filter(move |(_, bytes)| *bytes == secret);
        found.map(|(at, _)| self.from[at]..self.from[at + secret.len()])
    }
}

/// RFC 8259 section 7. What escapes a control character is no matter: no secret has one.
fn json(text: &[u8], out: &mut Vec<u8>) -> usize {
    match text {
        [b'\\', plain @ (b'"' | b'\\' | b'/' | b'\''), ..] => {
            out.push(*plain);
            2
        }
        [b'\\', b'u', ..] => utf16(text, out),
        _ => 0,
    }
}

/// One `\uXXXX`, or two that are a surrogate pair.
fn utf16(text: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.get(..4).and_then(|digits| std::str::from_utf8(digits).ok())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units: Vec<_> = [Some(text), text.get(6..)].into_iter().flatten().map_while(unit).collect();
    match char::decode_utf16(units).next() {
        Some(Ok(c)) => {
            push(c, out);
            6 * c.len_utf16()
        }
        _ => 0,
    }
}

/// RFC 3986 section 2.1.
fn percent(text: &[u8], out: &mut Vec<u8>) -> usize {
    let [b'%', digits @ ..] = text else { return 0 };
    let digits = digits.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
    let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else { return 0 };
    out.push(byte);
    3
}

fn form(text: &[u8], out: &mut Vec<u8>) -> usize {
    match text {
        [b'+', ..] => {
            out.push(b' ');
            1
        }
        _ => percent(text, out),
    }
}

/// Of HTML: by number, and the five names that everybody escapes.
fn entity(text: &[u8], out: &mut Vec<u8>) -> usize {
    let end = text.iter().take(10).position(|byte| *byte == b';');
    let Some(name) = end.and_then(|end| text.get(1..end)).filter(|_| text.starts_with(b"&")) else { return 0 };
    let number = |digits: &[u8], radix| {
        let digits = std::str::from_utf8(digits).ok()?;
        u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
    };
    let c = match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        _ => None,
    };
    let Some(c) = c else { return 0 };
    push(c, out);
    name.len() + 2
}

fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
