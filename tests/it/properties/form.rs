//! The bodies of forms.

use leadgate::web::extract::{Pairs, Repeated};
use proptest::collection::vec;
use proptest::prelude::*;
use url::form_urlencoded::Serializer;

use super::holds;

proptest! {
    #[test]
    fn b9_d12_a_name_comes_once_or_is_repeated(pairs in vec(("[a-dü &=%+]{1,2}", any::<String>()), 0..8)) {
        let body = Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let read = Pairs::exact(body.as_bytes()).unwrap();
        for (name, value) in &pairs {
            let once = pairs.iter().filter(|(other, _)| other == name).count() == 1;
            let only = Some(value.as_str()).filter(|value| !value.is_empty());
            prop_assert_eq!(read.get(name), if once { Ok(only) } else { Err(Repeated) });
            prop_assert_eq!(read.repeated(&["absent", name]), (!once).then_some(name.as_str()));
        }
    }

    #[test]
    fn any_body_is_taken_or_refused(
        bytes: Vec<u8>, near in "[a-c%+&=0-9]{0,40}", high in "([a-b%&=]|%[89a-fA-F][0-9a-f]){0,20}",
    ) {
        holds::of_form(&bytes);
        holds::of_form(near.as_bytes());
        holds::of_form(high.as_bytes());
    }
}
