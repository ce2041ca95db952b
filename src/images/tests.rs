use super::*;

fn picture(width: u32, height: u32) -> DynamicImage {
    DynamicImage::from(image::RgbaImage::from_fn(width, height, |x, y| {
        let shade = |n: u32| u8::try_from(n % 256).unwrap();
        image::Rgba([shade(x), shade(y), shade(x * y), 255])
    }))
}

fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture(width, height).write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    // CRC-32 as PNG has it (its annex D), bit by bit.
    let sum = kind.iter().chain(data).fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    });
    [&length, kind.as_slice(), data, &(!sum).to_be_bytes()].concat()
}

/// Puts a chunk behind the header of a PNG.
fn png_with(chunk: &[u8]) -> Vec<u8> {
    let plain = file(8, 8, ImageFormat::Png);
    let (head, rest) = plain.split_at(8 + 25);
    [head, chunk, rest].concat()
}

/// A PNG that claims a size, and has no pixels.
fn hollow_png(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &png_chunk(b"IHDR", &header), &png_chunk(b"IEND", b"")].concat()
}

fn webp_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let filler = vec![0; data.len() % 2];
    [kind.as_slice(), &u32::try_from(data.len()).unwrap().to_le_bytes(), data, &filler].concat()
}

fn webp_of(chunks: &[u8]) -> Vec<u8> {
    let length = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
    [b"RIFF".as_slice(), &length, b"WEBP", chunks].concat()
}

/// The header of an extended file (RFC 9649 section 2.7).
fn vp8x(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let [w0, w1, w2, _] = (width - 1).to_le_bytes();
    let [h0, h1, h2, _] = (height - 1).to_le_bytes();
    webp_chunk(b"VP8X", &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2])
}

fn size_of(png: &[u8]) -> (u32, u32) {
    let decoded = image::load_from_memory_with_format(png, ImageFormat::Png).unwrap();
    (decoded.width(), decoded.height())
}

#[test]
fn c16_a_picture_is_written_anew_and_fits() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        for (size, fitted) in [
            ((8, 8), (8, 8)),
            ((256, 256), (256, 256)),
            ((512, 256), (256, 128)),
            ((300, 1), (256, 1)),
            ((1, MAX_SIDE), (1, 256)),
        ] {
            let png = to_png(&file(size.0, size.1, format)).unwrap();
            assert_eq!(size_of(&png), fitted, "{format:?} of {size:?}");
        }
        let kept = image::load_from_memory(&to_png(&file(8, 8, format)).unwrap()).unwrap();
        assert_eq!(kept.into_rgba8(), picture(8, 8).into_rgba8(), "a small one keeps its pixels");
    }
}

#[test]
fn c16_nothing_but_pixels_survives() {
    let script = b"Comment\0<script>alert(1)</script>";
    let bytes = png_with(&png_chunk(b"tEXt", script));
    assert!(bytes.windows(8).any(|part| part == b"<script>"));
    let png = to_png(&bytes).unwrap();
    let mut kinds = Vec::new();
    let mut rest = &png[8..];
    while let [a, b, c, d, kind @ ..] = rest {
        kinds.push(kind[..4].to_vec());
        rest = &kind[4 + u32::from_be_bytes([*a, *b, *c, *d]) as usize + 4..];
    }
    assert!(kinds.iter().all(|kind| [b"IHDR", b"IDAT", b"IEND"].contains(&kind.first_chunk().unwrap())), "{kinds:?}");
    assert!(!png.windows(8).any(|part| part == b"<script>"));
}

#[test]
fn c16_only_png_and_webp_are_taken() {
    for other in [
        &b""[..],
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"<?xml version=\"1.0\"?><svg/>",
        b"GIF89a\x01\x00\x01\x00",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"BM",
        b"RIFF\x04\0\0\0WAVE",
        b"%PDF-1.7",
        b" \x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
        b"\0\0\x01\0",
    ] {
        assert_eq!(to_png(other), Err(PictureError::OtherFormat), "{:?}", String::from_utf8_lossy(other));
    }
}

#[test]
fn c16_what_is_behind_the_picture_is_refused() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        for tail in [&b"<script>alert(1)</script>"[..], b"PK\x03\x04", b"\0"] {
            let both = [file(8, 8, format), tail.to_vec()].concat();
            assert_eq!(to_png(&both), Err(PictureError::Trailing), "{format:?}");
        }
    }
}

#[test]
fn c16_a_truncated_picture_is_refused() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = file(20, 20, format);
        for length in 12..whole.len() {
            assert_eq!(to_png(&whole[..length]), Err(PictureError::Broken), "{format:?} cut at {length}");
        }
    }
    assert_eq!(to_png(&hollow_png(8, 8)), Err(PictureError::Broken));
}

#[test]
fn c16_size_is_judged_before_anything_is_decoded() {
    assert_eq!(to_png(&vec![0; MAX_BYTES + 1]), Err(PictureError::TooLong));
    let (over, all) = (MAX_SIDE + 1, u32::MAX);
    for (width, height) in [(over, 1), (1, over), (all, all)] {
        assert_eq!(to_png(&hollow_png(width, height)), Err(PictureError::TooLarge));
    }
    let mut sixteen_bits = hollow_png(MAX_SIDE, MAX_SIDE);
    sixteen_bits[24] = 16;
    let header = sixteen_bits[16..29].to_vec();
    sixteen_bits.splice(8..33, png_chunk(b"IHDR", &header));
    let data = png_chunk(b"IDAT", b"\x78\x9c");
    sixteen_bits.splice(33..33, data);
    assert_eq!(to_png(&sixteen_bits), Err(PictureError::TooLarge), "by its memory");
}

/// A frame inside may claim more than the file around it does.
#[test]
fn c16_every_claim_of_a_size_is_judged() {
    // A key frame of 16383 by 16383 (RFC 6386 section 9.1).
    let lossy = webp_chunk(b"VP8 ", b"\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f");
    let lossless = webp_chunk(b"VP8L", &[&[0x2f][..], &0x0fff_ffff_u32.to_le_bytes()].concat());
    let frame = |inner: &[u8]| webp_chunk(b"ANMF", &[&[0; FRAME][..], inner].concat());
    const FRAME: usize = 16;
    let anim = webp_chunk(b"ANIM", &[0; 6]);
    for inner in [&lossy, &lossless] {
        assert_eq!(to_png(&webp_of(inner)), Err(PictureError::TooLarge));
        assert_eq!(to_png(&webp_of(&[vp8x(0, 8, 8), inner.clone()].concat())), Err(PictureError::TooLarge));
        let animated = [vp8x(2, 8, 8), anim.clone(), frame(inner)].concat();
        assert_eq!(to_png(&webp_of(&animated)), Err(PictureError::TooLarge));
    }
    assert_eq!(to_png(&webp_of(&vp8x(0, 1 << 24, 1))), Err(PictureError::TooLarge));
    // Frames in frames are no picture, and are not followed.
    let nested = (0..1_000).fold(lossy.clone(), |inner, _| frame(&inner));
    assert_eq!(to_png(&webp_of(&[vp8x(2, 8, 8), anim, nested].concat())), Err(PictureError::Broken));
}

#[test]
fn c16_of_an_animation_the_first_frame_is_taken() {
    let still = file(8, 8, ImageFormat::WebP);
    // Place 0, the size of the picture, and a duration.
    let frame =
        |inner: &[u8]| webp_chunk(b"ANMF", &[&[0, 0, 0, 0, 0, 0, 7, 0, 0, 7, 0, 0, 9, 0, 0, 2][..], inner].concat());
    let other = DynamicImage::new_rgba8(8, 8);
    let mut second = Cursor::new(Vec::new());
    other.write_to(&mut second, ImageFormat::WebP).unwrap();
    let second = second.into_inner();
    let chunks = [vp8x(0x12, 8, 8), webp_chunk(b"ANIM", &[0; 6]), frame(&still[12..]), frame(&second[12..])].concat();
    let taken = image::load_from_memory(&to_png(&webp_of(&chunks)).unwrap()).unwrap();
    assert_eq!(taken.into_rgba8(), picture(8, 8).into_rgba8());
}
