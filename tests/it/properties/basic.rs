//! Client credentials in the `Authorization` header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leadgate::web::basic::Basic;
use proptest::prelude::*;

use super::holds;

proptest! {
    #[test]
    fn e1_any_credentials_come_through(id in r"\PC{1,30}", secret in r"\PC{0,60}") {
        let header = holds::authorization(&id, &secret);
        prop_assert_eq!(Basic::parse(header.as_bytes()), Basic::Credentials { id, secret });
    }

    #[test]
    fn e6_a_control_character_is_refused(
        before in r"\PC{0,9}", control in r"\p{Cc}", after in r"\PC{0,9}", in_id: bool,
    ) {
        let spoiled = format!("{before}{control}{after}");
        let (id, secret) = if in_id { (spoiled.as_str(), "b") } else { ("a", spoiled.as_str()) };
        prop_assert_eq!(Basic::parse(holds::authorization(id, secret).as_bytes()), Basic::Malformed);
    }

    #[test]
    fn e6_any_header_is_taken_or_refused(
        value: Vec<u8>, pair: Vec<u8>, printable in "[ -~]{0,60}", near in "[%+:0-9a-fA-F]{0,20}",
    ) {
        holds::of_basic(&value);
        holds::of_basic(&[b"Basic ", value.as_slice()].concat());
        holds::of_basic(printable.as_bytes());
        for pair in [pair, printable.into_bytes(), near.into_bytes()] {
            holds::of_basic(format!("basic {}", STANDARD.encode(pair)).as_bytes());
        }
    }
}
