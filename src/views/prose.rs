//! A sentence with code in it, as our own texts write it: between backticks.

/// Plain text and code in turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prose(Vec<Piece>);

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub is_code: bool,
    pub text: String,
}

impl Prose {
    #[must_use]
    pub fn of(text: &str) -> Self {
        let pieces = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
        Self(pieces.map(|(nth, part)| Piece { is_code: nth % 2 == 1, text: part.to_owned() }).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_are_code() {
        let pieces: Vec<_> = Prose::of("`a`: b `c` d").0.into_iter().map(|piece| (piece.is_code, piece.text)).collect();
        let expected = [(true, "a"), (false, ": b "), (true, "c"), (false, " d")];
        assert_eq!(pieces, expected.map(|(is_code, text)| (is_code, text.to_owned())));
        assert!(Prose::of("").is_empty());
    }
}
