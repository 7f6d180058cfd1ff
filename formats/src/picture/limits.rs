//! How large a picture may be, and with it how much memory and time a file may take.
//!
//! Sizes are checked on the header, before anything is allocated. **Memory**: beside the file, a decoder holds the decoded
//! picture (at most [`Limits::max_pixels`] of 8 bytes; 24 for deep colour), once more as its decoder has it, and one strip,
//! tile or chunk; lengths that a file states are compared with the file before they are believed. **Time**: every
//! decompressor writes into room of a known size and ends when it is full, padding and further channels of a TIFF count
//! towards a limit of twice the largest picture, lists of pages and chunks end with the file, and scans of a JPEG are
//! limited by its decoder. So the work is in proportion to the file's bytes and the largest picture, whatever is in it.

use super::ImageError;

/// Largest file and picture that [`decode`](super::decode) accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest allowed side, in pixels.
    pub max_side_px: usize,
    /// Most pixels in one picture.
    pub max_pixels: usize,
    /// Largest file, in bytes.
    pub max_file_bytes: usize,
}

/// Widest pixel any format decodes to: four 16-bit channels, or one 64-bit grey value.
const MAX_PIXEL_BYTES: usize = 8;

impl Default for Limits {
    /// 64 Mpx is above every clinical single picture (mammography has about 24 Mpx) and decodes to at
    /// most 512 MiB, which a browser tab's 4 GiB of WebAssembly memory holds beside a model.
    fn default() -> Self {
        Self { max_side_px: 32_768, max_pixels: 64 << 20, max_file_bytes: 512 << 20 }
    }
}

impl Limits {
    /// Refuses a file that is too long.
    pub(crate) fn check_file(&self, bytes: usize) -> Result<(), ImageError> {
        if bytes > self.max_file_bytes {
            return Err(ImageError::TooLarge {
                found: format!("a file of {bytes} bytes"),
                limit: format!("{} bytes", self.max_file_bytes),
            });
        }
        Ok(())
    }

    /// Refuses a picture by the size in its header; gives the size back as (width, height) in pixels.
    pub(super) fn check_size(
        &self,
        format: &'static str,
        width_px: u32,
        height_px: u32,
    ) -> Result<(usize, usize), ImageError> {
        if width_px == 0 || height_px == 0 {
            let reason = format!("its header says {width_px} x {height_px} pixels");
            return Err(ImageError::Damaged { format, reason });
        }
        let pixels = u64::from(width_px) * u64::from(height_px);
        let side = u64::from(width_px.max(height_px));
        if side > self.max_side_px as u64 || pixels > self.max_pixels as u64 {
            return Err(ImageError::TooLarge {
                found: format!("{width_px} x {height_px} pixels"),
                limit: format!("{} pixels a side and {} pixels in all", self.max_side_px, self.max_pixels),
            });
        }
        Ok((width_px as usize, height_px as usize))
    }

    /// Most bytes a decoder's own buffer may take.
    pub(super) fn max_decoded_bytes(&self) -> usize {
        self.max_pixels.saturating_mul(MAX_PIXEL_BYTES)
    }
}

/// A buffer of zeros, or an error where `vec!` would end the program.
pub(super) fn zeroed<T: Clone + Default>(len: usize) -> Result<Vec<T>, ImageError> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(len)
        .map_err(|_| ImageError::Memory { needed_bytes: len as u64 * size_of::<T>() as u64 })?;
    buffer.resize(len, T::default());
    Ok(buffer)
}
