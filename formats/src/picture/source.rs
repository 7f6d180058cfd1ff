//! A plain picture as a series: one frame, or one for each page of a TIFF.
//!
//! In: the file's bytes. Out: a [`Series`] whose frames are decoded when they are asked for; only sizes are read at first.
//! Pages of another size than the first are left out and named in a note. Fails as [`decode`] does.

use std::sync::Arc;

use super::decode::Format;
use super::{ImageError, Limits, Picture, RawPicture, Stored, decode, is_synthetic, tiff};
use crate::series::{Entry, Source};
use crate::{FormatError, FrameInfo, Series};

/// An opened plain picture.
pub(crate) struct PictureFile {
    bytes: Arc<[u8]>,
    /// Of a TIFF with several.
    pages: Vec<tiff::Page>,
}

impl PictureFile {
    /// Whether the bytes begin as a plain picture does.
    pub(crate) fn is_picture(bytes: &[u8]) -> bool {
        Format::sniff(bytes).is_some()
    }

    /// Opens a file.
    pub(crate) fn open(bytes: Arc<[u8]>) -> Result<Series, FormatError> {
        let limits = Limits::default();
        limits.check_file(bytes.len())?;
        let format = Format::sniff(&bytes);
        let mut notes = Vec::new();
        let mut pages = if format == Some(Format::Tiff) { tiff::pages(&bytes)? } else { Vec::new() };
        let all = pages.len();
        if let Some(size) = pages.first().map(|page| page.size_px) {
            pages.retain(|page| page.size_px == size);
        }
        if pages.len() < all {
            notes.push(match all - pages.len() {
                1 => "1 page of another size is left out".to_owned(),
                left_out => format!("{left_out} pages of another size are left out"),
            });
        }
        let known = match pages.first() {
            Some(page) => Some(page.size_px),
            None => Stored::of_file(&bytes).map(|stored| stored.upright_px()),
        };
        // What has no readable size is decoded, for the reason why.
        let (width_px, height_px) = match known {
            Some(size) => size,
            None => decode(&bytes, &limits).map(|picture| (picture.width_px, picture.height_px))?,
        };
        let side = |px: usize| u32::try_from(px).unwrap_or(u32::MAX);
        let name = format.map_or("picture", Format::name);
        limits.check_size(name, side(width_px), side(height_px))?;
        if pages.len() < 2 {
            pages.clear();
        }
        let frames = pages.len().max(1);
        let file = Arc::new(Self { bytes, pages });
        let entry = |index| {
            let source = Source::Picture(Arc::clone(&file));
            Entry { source, index, file: 0, info: FrameInfo::default() }
        };
        Ok(Series {
            format: name,
            width_px,
            height_px,
            modality: None,
            body_part: None,
            units: None,
            presets: Vec::new(),
            notes,
            entries: (0..frames).map(entry).collect(),
        })
    }

    /// The same, of which nothing can be decoded.
    pub(crate) fn without_bytes(&self) -> Self {
        Self { bytes: crate::head::nothing(), pages: self.pages.clone() }
    }

    /// Decodes page `n`, or the picture.
    pub(crate) fn picture(&self, n: usize) -> Result<RawPicture, ImageError> {
        let limits = Limits::default();
        let picture: Picture = match self.pages.get(n) {
            Some(page) => tiff::decode_page(&self.bytes, *page, &limits)?,
            None => decode(&self.bytes, &limits)?,
        };
        Ok(RawPicture::of_picture(picture, is_synthetic(&self.bytes)))
    }
}
