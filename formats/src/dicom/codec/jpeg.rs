//! JPEG: baseline, 12-bit extended, progressive and lossless, by `oxiarc-jpeg`.

use std::borrow::Cow;

use oxiarc_jpeg::{CodingProcess, ColorSpace, DecodeLimits, DecodeOptions, Decoder};

use super::{broken, check_size, guarded, stored};
use crate::bytes::Order;
use crate::dicom::header::{Header, Photometric};
use crate::{FormatError, Samples};

const CODEC: &str = "JPEG";

/// Samples, and whether they are RGB already.
pub(super) fn decode(frame: &[u8], header: &Header) -> Result<(Samples, bool), FormatError> {
    guarded(CODEC, || {
        let frame = &*with_whole_scans(frame);
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

/// The frame with sequential scans of all coefficients, as ITU-T T.81 wants them (table B.3). Some encoders write other
/// numbers there, which most decoders overlook.
fn with_whole_scans(frame: &[u8]) -> Cow<'_, [u8]> {
    /// First and last coefficient, and bits of successive approximation.
    const WHOLE: [u8; 3] = [0, 63, 0];
    let mut patched = Cow::Borrowed(frame);
    let mut at = 2;
    while let Some(&[first, code]) = frame.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
        at += match (first, code) {
            // Progressive, lossless and other processes give these numbers a meaning.
            (0xff, 0xc2..=0xcf) if !matches!(code, 0xc4 | 0xc8 | 0xcc) => return Cow::Borrowed(frame),
            (0xff, 0xc0..=0xcf | 0xda..=0xfe) => {
                let length = usize::from(Order::Big.u16(frame, at + 2).unwrap_or(0));
                let end = at + 2 + length;
                // A segment without room for them is for the decoder to refuse.
                if code == 0xda
                    && length > 2 + WHOLE.len()
                    && frame.get(end - WHOLE.len()..end).is_some_and(|found| found != WHOLE)
                    && let Some(selection) = patched.to_mut().get_mut(end - WHOLE.len()..end)
                {
                    selection.copy_from_slice(&WHOLE);
                }
                2 + length
            }
            // Entropy-coded data, and markers without a segment.
            _ => 1,
        };
    }
    patched
}
