//! Parameters of authentication schemes, and Digest among them (RFC 7616).

use proptest::prelude::*;

use super::holds;

proptest! {
    #[test]
    fn q8_any_field_is_taken_or_refused(
        value: Vec<u8>, printable in "[ -~]{0,80}", near in "Digest ([a-z*]{1,6}=(\"[ -~é]{0,8}\"?|[!-~]{0,6}),? ?){0,8}",
    ) {
        holds::of_auth_params(&value);
        holds::of_auth_params(&[b"Digest ", value.as_slice()].concat());
        holds::of_auth_params(printable.as_bytes());
        holds::of_auth_params(near.as_bytes());
    }

    #[test]
    fn q8_any_credentials_come_through(username in r"[^\p{Cc}]{1,40}", opaque in r"[^\p{Cc}]{0,20}") {
        use leadgate::crypto::digest::{Credentials, Digested};
        use leadgate::domain::delivery::DigestAlgorithm;
        let digested = Digested {
            algorithm: DigestAlgorithm::Sha256, username: &username, realm: "r", password: "p", method: "POST",
            uri: "/x", nonce: "n", nc: "00000001", cnonce: "c",
        };
        let read = Credentials::parse(digested.authorization(Some(&opaque)).as_bytes()).unwrap();
        prop_assert_eq!((read.username, read.opaque), (username, Some(opaque)));
    }
}
