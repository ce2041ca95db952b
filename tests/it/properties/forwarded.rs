//! Whom a proxy says that it was asked by.

use proptest::prelude::*;

use super::holds;

proptest! {
    #[test]
    fn c10_no_text_hides_what_a_proxy_of_ours_appends(text in "\\PC{0,80}") {
        holds::of_forwarded(&text);
    }

    #[test]
    fn c10_no_list_of_addresses_does(text in "((for=|For=)?\"?\\[?[0-9a-f:.]{0,20}\\]?(:[0-9]{1,6})?\"?[,; ]{0,2}){0,6}") {
        holds::of_forwarded(&text);
    }
}
