//! JPEG: baseline, 12-bit extended, progressive and lossless, by `oxiarc-jpeg`.

use oxiarc_jpeg::{CodingProcess, ColorSpace, DecodeLimits, DecodeOptions, Decoder};

use super::{broken, check_size, guarded, stored};
use crate::dicom::header::{Header, Photometric};
use crate::{FormatError, Samples};

const CODEC: &str = "JPEG";

/// Samples, and whether they are RGB already.
pub(super) fn decode(frame: &[u8], header: &Header) -> Result<(Samples, bool), FormatError> {
    guarded(CODEC, || {
        // Colour is converted here, because the DICOM header has a say in what the components are.
        let options = DecodeOptions { limits: DecodeLimits::strict(), ..DecodeOptions::raw() };
        let mut decoder = Decoder::with_options(frame, options);
        let info = decoder.read_info().map_err(|error| broken(CODEC, error))?;
        check_size(header, CODEC, info.width.into(), info.height.into(), info.num_components.into())?;
        let says_ybr = info.adobe_transform == Some(1) || info.has_jfif;
        let says_rgb = info.adobe_transform == Some(0)
            || (info.input_color_space == ColorSpace::Rgb && info.process != CodingProcess::Lossless);
        let is_rgb = if header.photometric == Photometric::Rgb {
            // Some writers announce RGB and let the encoder convert.
            !(says_ybr && info.process != CodingProcess::Lossless) || says_rgb
        } else {
            says_rgb
        };
        let decoded: Vec<u32> = if info.precision > 8 {
            let words = decoder.decode_u16().map_err(|error| broken(CODEC, error))?;
            words.into_iter().map(u32::from).collect()
        } else {
            let bytes = decoder.decode().map_err(|error| broken(CODEC, error))?;
            bytes.into_iter().map(u32::from).collect()
        };
        Ok((stored(&decoded, info.precision.into(), header)?, is_rgb))
    })
}
