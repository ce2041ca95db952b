//! Pictures that people upload: what is taken, and what becomes of it. Nothing that was uploaded is ever served: a picture
//! is decoded and written anew, so that no byte of it but its pixels survives (rule C16).

mod outline;

use std::io::Cursor;

use image::error::ImageError;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use outline::Outline;

/// Longest file, in bytes.
pub const MAX_BYTES: usize = 512 * 1024;
/// Longest side of a picture that is taken, in pixels.
pub const MAX_SIDE: u32 = 4_096;
/// Longest side of what becomes of it.
pub const SIDE: u32 = 256;
/// What decoding may take: a picture of the largest size with eight bits for each of four channels, and the lines that a
/// decoder looks back at.
const MAX_MEMORY: u64 = 80 * 1024 * 1024;

/// Why a picture is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLong,
    #[error("the file is neither PNG nor WebP")]
    OtherFormat,
    #[error("the picture is more than {MAX_SIDE} pixels wide or high, or takes more memory than such a one")]
    TooLarge,
    #[error("the file has something behind the picture")]
    Trailing,
    #[error("the picture cannot be read: the file is damaged or incomplete")]
    Broken,
}

/// The picture as a PNG of at most [`SIDE`] pixels a side, without anything else that was in the file; of an animation the
/// first frame. Takes up to a second of a core, and [`MAX_MEMORY`].
pub fn to_png(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    if file.len() > MAX_BYTES {
        return Err(PictureError::TooLong);
    }
    // Decoders make room for what a header says: it is judged before they see it.
    let outline = Outline::of(file)?;
    if outline.width.max(outline.height) > MAX_SIDE {
        return Err(PictureError::TooLarge);
    }
    write(fitted(decode(file, outline.format)?))
}

fn decode(file: &[u8], format: ImageFormat) -> Result<DynamicImage, PictureError> {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    reader.decode().map_err(|error| match error {
        ImageError::Limits(_) => PictureError::TooLarge,
        _ => PictureError::Broken,
    })
}

/// Scaled down where it is larger, never up.
fn fitted(picture: DynamicImage) -> DynamicImage {
    if picture.width().max(picture.height()) > SIDE { picture.thumbnail(SIDE, SIDE) } else { picture }
}

fn write(picture: DynamicImage) -> Result<Vec<u8>, PictureError> {
    // From a buffer of pixels alone, nothing but pixels can be written.
    let pixels = DynamicImage::from(picture.into_rgba8());
    let mut png = Cursor::new(Vec::new());
    pixels.write_to(&mut png, ImageFormat::Png).map_err(|_| PictureError::Broken)?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests;
