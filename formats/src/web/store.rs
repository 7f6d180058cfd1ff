//! What the module holds: files that are being put together, without their pixels, and those that were used last.

use std::cell::RefCell;
use std::sync::Arc;

use js_sys::Uint8Array;

use super::limits;
use crate::picture::{RawNote, RawPicture, decode, is_synthetic};
use crate::{Axis, FormatError, Head, Part, Series, open, open_head, open_pair};

/// Files whose bytes stay, in bytes: a few slices, or one volume of any size.
const KEPT_BYTES: usize = 128 << 20;

/// A file whose frames can be decoded.
struct Open {
    file: usize,
    bytes: usize,
    series: Series,
    /// Only its beginning was read: the bytes of each slice are handed in.
    is_head: bool,
}

/// Everything the module remembers.
#[derive(Default)]
pub(super) struct Store {
    /// Files since `begin`, without their pixels.
    pub(super) gathered: Vec<Series>,
    /// The one used last comes last.
    open: Vec<Open>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

pub(super) fn with_store<T>(work: impl FnOnce(&mut Store) -> T) -> T {
    STORE.with_borrow_mut(work)
}

impl Store {
    pub(super) fn head(&mut self, file: usize, head: &[u8], file_bytes: u64) -> Result<bool, FormatError> {
        match open_head(head, file_bytes, &limits())? {
            Head::Series(series) => {
                self.gathered.push(series.of_file(file));
                Ok(true)
            }
            Head::Whole => Ok(false),
        }
    }

    pub(super) fn whole(
        &mut self,
        file: usize,
        bytes: &Uint8Array,
        pixels: Option<&Uint8Array>,
    ) -> Result<(), FormatError> {
        let series = self.open(file, bytes, pixels)?.clone();
        self.gathered.push(series.without_bytes().of_file(file));
        Ok(())
    }

    pub(super) fn open(
        &mut self,
        file: usize,
        bytes: &Uint8Array,
        pixels: Option<&Uint8Array>,
    ) -> Result<&Series, FormatError> {
        self.forget(file);
        let all = bytes.length() as usize + pixels.map_or(0, |pixels| pixels.length() as usize);
        // Before the next one is brought in.
        while self.open.iter().map(|open| open.bytes).sum::<usize>() + all > KEPT_BYTES && !self.open.is_empty() {
            self.open.remove(0);
        }
        let series = match pixels {
            Some(pixels) => open_pair(brought_in(bytes), brought_in(pixels), &limits())?,
            None => open(brought_in(bytes), &limits())?,
        };
        self.open.push(Open { file, bytes: all, series, is_head: false });
        self.used(file).map(|open| &open.series).ok_or(FormatError::Empty)
    }

    /// Opens a file by its beginning, if slices of it can be read without the others.
    pub(super) fn open_head(&mut self, file: usize, head: &[u8], file_bytes: u64) -> Result<bool, FormatError> {
        let Head::Series(series) = open_head(head, file_bytes, &limits())? else { return Ok(false) };
        if series.part(Axis::Axial, 0).is_none() {
            return Ok(false);
        }
        self.forget(file);
        self.open.push(Open { file, bytes: head.len(), series, is_head: true });
        Ok(true)
    }

    /// The bytes that must be handed in for a slice; nothing where the file is there.
    pub(super) fn part(&mut self, file: usize, n: usize, axis: Axis, volume: usize) -> Option<Part> {
        let open = self.used(file).filter(|open| open.is_head)?;
        let slices = open.series.volume().map_or(0, |voxels| voxels.slices(axis));
        open.series.part(axis, volume * slices + n)
    }

    /// Whether a file is open; it becomes the one used last.
    pub(super) fn is_open(&mut self, file: usize) -> bool {
        self.used(file).is_some()
    }

    fn used(&mut self, file: usize) -> Option<&Open> {
        let at = self.open.iter().position(|open| open.file == file)?;
        let open = self.open.remove(at);
        self.open.push(open);
        self.open.last()
    }

    pub(super) fn forget(&mut self, file: usize) {
        self.open.retain(|open| open.file != file);
    }

    pub(super) fn frame(
        &mut self,
        file: usize,
        n: usize,
        axis: Axis,
        volume: usize,
        part: Option<&Uint8Array>,
    ) -> Result<RawPicture, FormatError> {
        let Open { series, .. } = self.used(file).ok_or(FormatError::Empty)?;
        let slices = series.volume().map_or(0, |voxels| voxels.slices(axis));
        let all = volume * slices + n;
        let frame = match (series.volume(), part) {
            (Some(voxels), _) if n >= slices || volume >= voxels.volumes() => {
                return Err(FormatError::NoSuchFrame { wanted: n, frames: slices });
            }
            (_, Some(bytes)) => series.frame_of_part(axis, all, brought_in(bytes))?,
            (Some(voxels), None) => voxels.slice(axis, all)?,
            (None, None) => return series.picture(n),
        };
        Ok(RawPicture::of_frame(&frame, series.format, series.units.clone()))
    }
}

/// One file as one picture.
pub(super) fn single(bytes: &Uint8Array) -> Result<RawPicture, FormatError> {
    let bytes = brought_in(bytes);
    let series = match open(Arc::clone(&bytes), &limits()) {
        // With the pages that are left out named.
        Ok(series) if series.is_picture() => {
            let picture = decode(&bytes, &crate::picture::Limits::default())?;
            return Ok(RawPicture::of_picture(picture, is_synthetic(&bytes)));
        }
        opened => opened?,
    };
    let n = series.volume().map_or(0, |volume| volume.slices(Axis::Axial) / 2);
    let mut picture = series.picture(n)?;
    if series.len() > 1 {
        let text = format!("frame {} of {} is analysed", n + 1, series.len());
        picture.notes.push(RawNote { code: "part".to_owned(), text });
    }
    picture.notes.extend(series.notes.iter().map(|text| RawNote { code: "series".to_owned(), text: text.clone() }));
    Ok(picture)
}

/// Bytes of JavaScript's in the module's own memory, once.
fn brought_in(bytes: &Uint8Array) -> Arc<[u8]> {
    let mut own: Arc<[u8]> = std::iter::repeat_n(0, bytes.length() as usize).collect();
    if let Some(room) = Arc::get_mut(&mut own) {
        bytes.copy_to(room);
    }
    own
}
