//! How large a file may be. Sizes are checked on the header, before anything is allocated.

use crate::FormatError;

/// Largest file, series and frame that are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, and largest content of a compressed one, in bytes.
    pub max_file_bytes: u64,
    /// Longest side of a frame, in pixels.
    pub max_side_px: u64,
    /// Most pixels of one frame.
    pub max_frame_pixels: u64,
    /// Most frames of one file.
    pub max_frames: u64,
}

impl Default for Limits {
    /// 2 GiB is what one buffer of WebAssembly can hold; 64 Mpx is above every clinical single picture
    /// (mammography has about 24 Mpx).
    fn default() -> Self {
        Self { max_file_bytes: 2 << 30, max_side_px: 65_535, max_frame_pixels: 64 << 20, max_frames: 1 << 16 }
    }
}

impl Limits {
    /// Refuses a file, or what it unpacks to, that is too long.
    pub(crate) fn check_bytes(&self, bytes: u64) -> Result<(), FormatError> {
        if bytes > self.max_file_bytes {
            let (found, limit) = (format!("{bytes} bytes"), format!("{} bytes", self.max_file_bytes));
            return Err(FormatError::TooLarge { found, limit });
        }
        Ok(())
    }

    /// Refuses frames by the size in the header.
    pub(crate) fn check_frames(
        &self,
        format: &'static str,
        width_px: u64,
        height_px: u64,
        frames: u64,
    ) -> Result<(), FormatError> {
        if width_px == 0 || height_px == 0 || frames == 0 {
            let reason = format!("its header says {width_px} x {height_px} pixels, {frames} frames");
            return Err(FormatError::damaged(format, reason));
        }
        let side = width_px.max(height_px);
        if side > self.max_side_px || width_px.saturating_mul(height_px) > self.max_frame_pixels {
            let found = format!("frames of {width_px} x {height_px} pixels");
            let limit = format!("{} pixels a side and {} pixels in all", self.max_side_px, self.max_frame_pixels);
            return Err(FormatError::TooLarge { found, limit });
        }
        if frames > self.max_frames {
            let (found, limit) = (format!("{frames} frames"), format!("{} frames", self.max_frames));
            return Err(FormatError::TooLarge { found, limit });
        }
        Ok(())
    }
}

/// A buffer with room for `len` values, or an error where `vec!` would end the program.
pub(crate) fn reserved<T>(len: usize) -> Result<Vec<T>, FormatError> {
    let mut buffer = Vec::new();
    let needed_bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    buffer.try_reserve_exact(len).map_err(|_| FormatError::Memory { needed_bytes })?;
    Ok(buffer)
}
