//! NIfTI-1 and NIfTI-2, in one file or as a pair of header and pixels.
//!
//! Own code: the crate `nifti` 0.18 does not read NIfTI-2 and needs `nalgebra` for an affine.

use std::sync::Arc;

use super::Volume;
use super::element::Element;
use crate::bytes::Order;
use crate::geometry::Vector;
use crate::{FormatError, Limits, Series, ValueMap};

/// Name of the format, for messages.
pub(crate) const FORMAT: &str = "NIfTI";

/// Places of the fields that are read (nifti1.h, nifti2.h).
struct Layout {
    is_second: bool,
    order: Order,
    header_bytes: usize,
}

impl Layout {
    fn of(bytes: &[u8]) -> Option<Self> {
        let order = [Order::Little, Order::Big].into_iter().find(|o| matches!(o.u32(bytes, 0), Some(348 | 540)))?;
        let is_second = order.u32(bytes, 0) == Some(540);
        let magic = if is_second { bytes.get(4..7)? } else { bytes.get(344..347)? };
        let known: [&[u8]; 2] = if is_second { [b"n+2", b"ni2"] } else { [b"n+1", b"ni1"] };
        let header_bytes = if is_second { 540 } else { 348 };
        (known.contains(&magic) && bytes.len() >= header_bytes).then_some(Self { is_second, order, header_bytes })
    }

    /// Whether the pixels are in another file.
    fn is_pair(&self, bytes: &[u8]) -> bool {
        bytes.get(if self.is_second { 4..7 } else { 344..347 }).is_some_and(|magic| magic.starts_with(b"ni"))
    }

    fn size(&self, bytes: &[u8], i: usize) -> Option<i64> {
        if self.is_second {
            self.order.u64(bytes, 16 + i * 8).map(u64::cast_signed)
        } else {
            self.order.i16(bytes, 40 + i * 2).map(i64::from)
        }
    }

    fn short(&self, bytes: &[u8], first: usize, second: usize) -> i16 {
        self.order.i16(bytes, if self.is_second { second } else { first }).unwrap_or(0)
    }

    /// A code of two bytes in NIfTI-1, four in NIfTI-2.
    fn code(&self, bytes: &[u8], first: usize, second: usize) -> u32 {
        let code =
            if self.is_second { self.order.u32(bytes, second) } else { self.order.u16(bytes, first).map(u32::from) };
        code.unwrap_or(0)
    }

    /// The `i`th of numbers that are `f32` from `first` in NIfTI-1, `f64` from `second` in NIfTI-2.
    fn float(&self, bytes: &[u8], first: usize, second: usize, i: usize) -> f64 {
        let value = if self.is_second {
            self.order.f64(bytes, second + i * 8)
        } else {
            self.order.f32(bytes, first + i * 4).map(f64::from)
        };
        value.filter(|v| v.is_finite()).unwrap_or(0.0)
    }
}

/// Where a volume lies, as its header says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// The header is NIfTI-2's, with numbers of 64 bits.
    pub(crate) is_second: bool,
    /// Sign of the third axis of the qform, then voxel sizes.
    pub(crate) pixdim: [f64; 4],
    pub(crate) qform_code: u32,
    pub(crate) sform_code: u32,
    /// b, c, d and the origin.
    pub(crate) quaternion: [f64; 6],
    /// Rows of the sform.
    pub(crate) rows: [f64; 12],
}

impl Placement {
    fn read(layout: &Layout, bytes: &[u8]) -> Self {
        let float = |first, second| move |i| layout.float(bytes, first, second, i);
        Self {
            is_second: layout.is_second,
            pixdim: [0, 1, 2, 3].map(float(76, 104)),
            qform_code: layout.code(bytes, 252, 344),
            sform_code: layout.code(bytes, 254, 348),
            quaternion: [0, 1, 2, 3, 4, 5].map(float(256, 352)),
            rows: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(float(280, 400)),
        }
    }
}

pub(crate) fn is_nifti(bytes: &[u8]) -> bool {
    Layout::of(bytes).is_some()
}

/// Whether it is a header of NIfTI's predecessor, which has the same size and no signature.
pub(crate) fn is_analyze(bytes: &[u8]) -> bool {
    let is_header = |order: Order| order.u32(bytes, 0) == Some(348) && matches!(order.i16(bytes, 40), Some(1..=7));
    [Order::Little, Order::Big].into_iter().any(is_header)
}

pub(crate) fn open(bytes: &Arc<[u8]>, pixels: Option<Arc<[u8]>>, limits: &Limits) -> Result<Series, FormatError> {
    let file_bytes = pixels.as_ref().unwrap_or(bytes).len() as u64;
    open_of(file_bytes, bytes, pixels, limits)
}

/// The series of a file of so many bytes by its beginning, without pixels.
pub(crate) fn open_head(head: &[u8], file_bytes: u64, limits: &Limits) -> Result<Series, FormatError> {
    open_of(file_bytes, &head.into(), None, limits).map(Series::without_bytes)
}

fn open_of(
    file_bytes: u64,
    bytes: &Arc<[u8]>,
    pixels: Option<Arc<[u8]>>,
    limits: &Limits,
) -> Result<Series, FormatError> {
    let layout = Layout::of(bytes).ok_or_else(|| FormatError::damaged(FORMAT, "its header is cut off"))?;
    let is_pair = layout.is_pair(bytes);
    if is_pair && pixels.is_none() {
        return Err(FormatError::Companion { format: FORMAT, file: "the .img file of the same name".into() });
    }
    let axes = layout.size(bytes, 0).unwrap_or(0);
    if !(1..=7).contains(&axes) {
        return Err(FormatError::damaged(FORMAT, format!("its header says {axes} dimensions, expected 1 to 7")));
    }
    let mut size = [1usize; 3];
    let mut volumes = 1u64;
    for i in 1..=axes as usize {
        let n = layout.size(bytes, i).unwrap_or(0);
        if !(1..=1 << 31).contains(&n) {
            return Err(FormatError::damaged(FORMAT, format!("its dimension {i} is {n}")));
        }
        match size.get_mut(i - 1) {
            Some(axis) => *axis = n as usize,
            None => volumes = volumes.saturating_mul(n.cast_unsigned()),
        }
    }
    // Before anything is multiplied.
    limits.check_frames(FORMAT, size[0] as u64, size[1] as u64, volumes.saturating_mul(size[2] as u64))?;
    let (element, channels, samples) = element(layout.short(bytes, 70, 12))?;
    let offset = if layout.is_second {
        layout.order.u64(bytes, 168).unwrap_or(0)
    } else {
        layout.float(bytes, 108, 0, 0).max(0.0) as u64
    };
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let start = if is_pair { start } else { start.max(layout.header_bytes) };
    let (slope, intercept) = (layout.float(bytes, 112, 176, 0), layout.float(bytes, 116, 184, 0));
    let map = if slope == 0.0 || channels == 3 { ValueMap::STORED } else { ValueMap::Linear { slope, intercept } };
    let (axes, origin, is_placed) = affine(&layout, bytes, size);
    let placement = Some(Placement::read(&layout, bytes));
    let row = samples * size[0];
    let plane = row * size[1];
    let strides = [samples, row, plane, plane.saturating_mul(size[2]), 1];
    let bytes = pixels.filter(|_| is_pair).unwrap_or_else(|| Arc::clone(bytes));
    let volumes = volumes as usize;
    let order = layout.order;
    let volume = Volume {
        format: FORMAT,
        size,
        volumes,
        channels,
        strides,
        element,
        order,
        start,
        bytes,
        map,
        axes,
        origin,
        is_placed,
        placement,
    };
    volume.into_series_of(file_bytes, limits)
}

/// Type, channels that are shown, and samples of a voxel.
fn element(code: i16) -> Result<(Element, usize, usize), FormatError> {
    Ok(match code {
        2 => (Element::U8, 1, 1),
        4 => (Element::I16, 1, 1),
        8 => (Element::I32, 1, 1),
        16 => (Element::F32, 1, 1),
        64 => (Element::F64, 1, 1),
        128 => (Element::U8, 3, 3),
        256 => (Element::I8, 1, 1),
        512 => (Element::U16, 1, 1),
        768 => (Element::U32, 1, 1),
        1024 => (Element::I64, 1, 1),
        1280 => (Element::U64, 1, 1),
        2304 => (Element::U8, 3, 4),
        _ => {
            let found = match code {
                32 | 1792 | 2048 => "complex numbers".to_owned(),
                1536 => "floating point of 128 bits".to_owned(),
                1 => "voxels of one bit".to_owned(),
                _ => format!("the data type {code}"),
            };
            return Err(FormatError::Unsupported { format: FORMAT, found, instead: "save it as float32" });
        }
    })
}

/// Directions of the axes and origin in DICOM's axes, and whether the file says how the patient lies. The choice is
/// nibabel's: sform, else qform, else voxel sizes around the middle.
fn affine(layout: &Layout, bytes: &[u8], size: [usize; 3]) -> ([Vector; 3], Vector, bool) {
    let spacing = [1, 2, 3].map(|i| {
        let spacing = layout.float(bytes, 76, 104, i).abs();
        if spacing > 0.0 { spacing } else { 1.0 }
    });
    // NIfTI's x goes to the right and y to the front.
    let lps = |[x, y, z]: Vector| [-x, -y, z];
    if layout.code(bytes, 254, 348) > 0 {
        let row = |r: usize| [0, 1, 2, 3].map(|i| layout.float(bytes, 280 + r * 16, 400 + r * 32, i));
        let [x, y, z] = [row(0), row(1), row(2)];
        let column = |i: usize| lps([x[i], y[i], z[i]]);
        return ([column(0), column(1), column(2)], column(3), true);
    }
    if layout.code(bytes, 252, 344) > 0 {
        let [b, c, d] = [0, 1, 2].map(|i| layout.float(bytes, 256, 352, i));
        let a = (1.0 - (b * b + c * c + d * d)).max(0.0).sqrt();
        let flip = if layout.float(bytes, 76, 104, 0) < 0.0 { -1.0 } else { 1.0 };
        let origin = [0, 1, 2].map(|i| layout.float(bytes, 268, 376, i));
        let columns = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c + a * d), 2.0 * (b * d - a * c)],
            [2.0 * (b * c - a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d + a * b)],
            [2.0 * (b * d + a * c) * flip, 2.0 * (c * d - a * b) * flip, (a * a + d * d - b * b - c * c) * flip],
        ];
        let axis = |i: usize| lps(columns[i].map(|v| v * spacing[i]));
        return ([axis(0), axis(1), axis(2)], lps(origin), true);
    }
    let middle = [0, 1, 2].map(|i| (size[i] as f64 - 1.0) / 2.0 * spacing[i]);
    let axes = [lps([-spacing[0], 0.0, 0.0]), lps([0.0, spacing[1], 0.0]), [0.0, 0.0, spacing[2]]];
    (axes, lps([middle[0], -middle[1], -middle[2]]), false)
}
