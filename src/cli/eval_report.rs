//! The report of `mvfa eval`: which pictures it shows, and their small copies.
//!
//! Comes in: pictures with their maps, one at a time, then the evaluation. Goes out: one HTML file's
//! text. Fails if the temporary file does.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::overlay;
use crate::eval::{self, Evaluation, Heading, Shown};
use crate::image::Rgb8;

/// Pictures in a report: half the highest scores, half the lowest.
const SHOWN: usize = 200;
/// Side of a picture in a report, in pixels.
const THUMBNAIL_PX: u32 = 192;

/// The report's text. `thumbnails` are those of `evaluation`'s pictures, `names` what to call them.
///
/// # Errors
/// The temporary file cannot be read.
pub(super) fn report(
    heading: &Heading,
    evaluation: &Evaluation,
    names: &[String],
    mut thumbnails: Thumbnails,
) -> Result<String> {
    let mut order: Vec<usize> = (0..evaluation.images.len()).collect();
    let score = |n: &usize| evaluation.images.get(*n).map_or(f32::NEG_INFINITY, |image| image.score);
    order.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let hidden = order.len().saturating_sub(SHOWN);
    if hidden > 0 {
        order.drain(SHOWN / 2..SHOWN / 2 + hidden);
    }
    let mut shown = Vec::with_capacity(order.len());
    for n in order {
        let jpeg = BASE64.encode(thumbnails.read(n).context("the temporary file of the report's pictures failed")?);
        if let (Some(result), Some(name)) = (evaluation.images.get(n), names.get(n)) {
            shown.push(Shown { result, name: name.clone(), jpeg });
        }
    }
    Ok(eval::report(heading, evaluation, &shown, hidden))
}

/// Small pictures on disk until the report is written.
pub(super) struct Thumbnails {
    file: File,
    places: Vec<(u64, usize)>,
}

impl Thumbnails {
    pub(super) fn new() -> Result<Self> {
        let file = tempfile::tempfile().context("no temporary file for the report")?;
        Ok(Self { file, places: Vec::new() })
    }

    /// Keeps `picture` with `map` `[side, side]` over it.
    pub(super) fn push(&mut self, picture: &Rgb8, map: &[f32]) -> Result<()> {
        let side = (map.len() as f64).sqrt().round() as usize;
        let blended = overlay::blend(picture, map, side);
        let (width, height) = (u32::try_from(blended.width_px)?, u32::try_from(blended.height_px)?);
        let whole = ::image::RgbImage::from_raw(width, height, blended.bytes).context("a picture of no size")?;
        let small = ::image::DynamicImage::from(whole).thumbnail(THUMBNAIL_PX, THUMBNAIL_PX);
        let mut bytes = std::io::Cursor::new(Vec::new());
        small.write_to(&mut bytes, ::image::ImageFormat::Jpeg)?;
        let bytes = bytes.into_inner();
        self.places.push((self.file.stream_position()?, bytes.len()));
        Ok(self.file.write_all(&bytes)?)
    }

    fn read(&mut self, n: usize) -> Result<Vec<u8>> {
        let (start, length) = self.places.get(n).copied().unwrap_or_default();
        let mut bytes = vec![0; length];
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
