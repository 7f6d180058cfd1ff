//! JPEG XL by `jxl-oxide`.

use jxl_oxide::{AllocTracker, JxlImage};

use super::{broken, check_size, guarded, stored};
use crate::dicom::header::Header;
use crate::limits::reserved;
use crate::{FormatError, Samples};

const CODEC: &str = "JPEG XL";

/// Most that the decoder may allocate, for a frame of so many samples: its planes are 32 bits, several are held.
fn max_bytes(header: &Header) -> usize {
    const PLANES: usize = 16;
    const BASE_BYTES: usize = 64 << 20;
    header.frame_samples().saturating_mul(4 * PLANES).saturating_add(BASE_BYTES)
}

pub(super) fn decode(frame: &[u8], header: &Header) -> Result<Samples, FormatError> {
    guarded(CODEC, || {
        let tracker = AllocTracker::with_limit(max_bytes(header));
        let image: JxlImage =
            JxlImage::builder().alloc_tracker(tracker).read(frame).map_err(|error| broken(CODEC, error))?;
        let format = image.pixel_format();
        let channels = if format.is_grayscale() { 1 } else { 3 };
        check_size(header, CODEC, image.width().into(), image.height().into(), channels)?;
        let render = image.render_frame(0).map_err(|error| broken(CODEC, error))?;
        let mut stream = render.stream_no_alpha();
        if (stream.width() as usize, stream.height() as usize) != (header.columns, header.rows) {
            return Err(broken(CODEC, "it is turned"));
        }
        let count = header.frame_samples();
        let mut decoded = reserved(count)?;
        if header.bits_stored <= 8 {
            let mut bytes = reserved(count)?;
            bytes.resize(count, 0u8);
            stream.write_to_buffer(&mut bytes);
            decoded.extend(bytes.into_iter().map(u32::from));
            return stored(&decoded, 8, header);
        }
        let mut values = reserved(count)?;
        values.resize(count, 0f32);
        stream.write_to_buffer(&mut values);
        // 0..1 spans the bits that the file itself declares.
        let bits = image.image_header().metadata.bit_depth.bits_per_sample().min(16);
        let top = f64::from(bits).exp2() - 1.0;
        decoded.extend(values.into_iter().map(|v| (f64::from(v) * top).round().clamp(0.0, top) as u32));
        stored(&decoded, bits, header)
    })
}
