//! The outline of a file: its format, told by its bytes, and the size that it claims, in every place where it claims one.

use image::ImageFormat;

use super::PictureError;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// A frame of an animation: its place and duration, before its own chunks.
const FRAME_HEADER: usize = 16;

pub(super) struct Outline {
    pub format: ImageFormat,
    /// The largest width and height that anything in the file claims. Where they disagree, a decoder may well have made
    /// room before it finds out.
    pub width: u32,
    pub height: u32,
}

impl Outline {
    /// Follows the file from its beginning to its end, which have to be those of the picture.
    pub fn of(file: &[u8]) -> Result<Self, PictureError> {
        if let Some(chunks) = file.strip_prefix(PNG) {
            png(chunks)
        } else if let Some(rest) = file.strip_prefix(b"RIFF").filter(|rest| rest.get(4..8) == Some(b"WEBP")) {
            webp(rest)
        } else {
            Err(PictureError::OtherFormat)
        }
    }

    fn new(format: ImageFormat) -> Self {
        Self { format, width: 0, height: 0 }
    }

    fn claims(&mut self, (width, height): (u32, u32)) {
        self.width = self.width.max(width);
        self.height = self.height.max(height);
    }
}

/// PNG, section 5.3: length, type, data and checksum, from IHDR to IEND.
fn png(mut chunks: &[u8]) -> Result<Outline, PictureError> {
    let mut outline = Outline::new(ImageFormat::Png);
    let mut is_first = true;
    loop {
        let (length, rest) = split(chunks, 4)?;
        let (kind, rest) = split(rest, 4)?;
        let (data, rest) = split(rest, size(u32::from_be_bytes(array(length)?))?)?;
        chunks = split(rest, 4)?.1;
        match kind {
            b"IHDR" if is_first => {
                let side = |at| Ok(u32::from_be_bytes(array(split(data, at)?.1)?));
                outline.claims((side(0)?, side(4)?));
            }
            _ if is_first => return Err(PictureError::Broken),
            b"IEND" => return ended(chunks, outline),
            _ => {}
        }
        is_first = false;
    }
}

/// RFC 9649 section 2.4: the length of all that follows, `WEBP`, and chunks.
fn webp(rest: &[u8]) -> Result<Outline, PictureError> {
    let (length, body) = split(rest, 4)?;
    let (body, behind) = split(body, size(u32::from_le_bytes(array(length)?))?)?;
    let mut outline = Outline::new(ImageFormat::WebP);
    webp_chunks(split(body, 4)?.1, &mut outline, true)?;
    ended(behind, outline)
}

fn webp_chunks(mut chunks: &[u8], outline: &mut Outline, may_have_frames: bool) -> Result<(), PictureError> {
    while !chunks.is_empty() {
        let (kind, rest) = split(chunks, 4)?;
        let (length, rest) = split(rest, 4)?;
        let length = size(u32::from_le_bytes(array(length)?))?;
        let (data, rest) = split(rest, length)?;
        // Odd ones are followed by a byte that fills up; some writers leave it out at the end.
        chunks = rest.get(length % 2..).unwrap_or_default();
        match kind {
            b"VP8X" => outline.claims((u24(data, 4)? + 1, u24(data, 7)? + 1)),
            b"VP8 " => {
                let side = |at| Ok(u32::from(u16::from_le_bytes(array(split(data, at)?.1)?) & 0x3fff));
                outline.claims((side(6)?, side(8)?));
            }
            b"VP8L" => {
                let sides = u32::from_le_bytes(array(split(data, 1)?.1)?);
                outline.claims(((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1));
            }
            b"ANMF" if may_have_frames => {
                outline.claims((u24(data, 6)? + 1, u24(data, 9)? + 1));
                webp_chunks(split(data, FRAME_HEADER)?.1, outline, false)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn ended(behind: &[u8], outline: Outline) -> Result<Outline, PictureError> {
    if behind.is_empty() { Ok(outline) } else { Err(PictureError::Trailing) }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), PictureError> {
    bytes.split_at_checked(at).ok_or(PictureError::Broken)
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], PictureError> {
    bytes.first_chunk().copied().ok_or(PictureError::Broken)
}

fn u24(data: &[u8], at: usize) -> Result<u32, PictureError> {
    let [low, middle, high] = array(split(data, at)?.1)?;
    Ok(u32::from_le_bytes([low, middle, high, 0]))
}

fn size(length: u32) -> Result<usize, PictureError> {
    usize::try_from(length).map_err(|_| PictureError::Broken)
}
