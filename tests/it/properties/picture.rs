//! Files that are uploaded as pictures.

use std::io::Cursor;
use std::sync::LazyLock;

use image::{DynamicImage, ImageFormat, RgbaImage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::holds;

/// Good ones to begin with.
static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let picture = RgbaImage::from_fn(24, 16, |x, y| image::Rgba([x as u8 * 10, y as u8 * 10, 7, 255 - x as u8]));
    [ImageFormat::Png, ImageFormat::WebP]
        .map(|format| {
            let mut file = Cursor::new(Vec::new());
            DynamicImage::from(picture.clone()).write_to(&mut file, format).unwrap();
            file.into_inner()
        })
        .into()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn c16_any_file_is_taken_or_refused(
        start in select(vec![&b""[..], b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBPVP8 ", b"RIFF\x20\0\0\0WEBPVP8X"]),
        rest in vec(any::<u8>(), 0..200),
    ) {
        holds::of_picture(&[start, &rest].concat());
    }

    #[test]
    fn c16_a_damaged_picture_is_taken_or_refused(
        nth in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut file = nth.get(&GOOD).clone();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.map_or(file.len(), |cut| cut.index(file.len())));
        holds::of_picture(&file);
    }
}

#[test]
fn c16_a_good_picture_is_taken() {
    for file in &*GOOD {
        holds::of_picture(file);
        assert!(leadgate::images::to_png(file).is_ok());
    }
}
