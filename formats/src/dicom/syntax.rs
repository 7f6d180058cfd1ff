//! Transfer syntaxes: how a data set is written and how its pixels are compressed (PS3.5, annex A).

use super::FORMAT;
use super::dataset::Encoding;
use crate::FormatError;
use crate::bytes::Order;

/// How the pixels are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// In the byte order of the data set, or big endian in spite of it.
    None {
        order: Order,
    },
    Rle,
    /// All processes of JPEG: baseline, extended, progressive, lossless.
    Jpeg,
    JpegLs,
    Jpeg2000,
    HighThroughput,
    JpegXl,
    /// Deflated frame by frame.
    Deflate,
}

/// A transfer syntax that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) encoding: Encoding,
    pub(super) is_deflated: bool,
    pub(super) compression: Compression,
}

impl Syntax {
    /// Pixels as they are, in the given encoding.
    pub(super) const fn plain(encoding: Encoding) -> Self {
        Self { encoding, is_deflated: false, compression: Compression::None { order: encoding.order } }
    }
}

/// What to do with a file whose compression is not read. `dcmdjpeg`, `gdcmconv` and others write this form.
const CONVERT: &str = "convert it to Explicit VR Little Endian without compression, for example with `gdcmconv --raw`";

/// The syntax with this identifier.
pub(super) fn find(uid: &str) -> Result<Syntax, FormatError> {
    let encapsulated = |compression| Syntax { compression, ..Syntax::plain(Encoding::EXPLICIT_LITTLE) };
    let syntax = match uid {
        "1.2.840.10008.1.2" => Syntax::plain(Encoding::IMPLICIT_LITTLE),
        "1.2.840.10008.1.2.1" => Syntax::plain(Encoding::EXPLICIT_LITTLE),
        "1.2.840.10008.1.2.1.99" => Syntax { is_deflated: true, ..Syntax::plain(Encoding::EXPLICIT_LITTLE) },
        "1.2.840.10008.1.2.2" => Syntax::plain(Encoding { explicit: true, order: Order::Big }),
        // GE's private one: implicit little endian with pixels in big endian.
        "1.2.840.113619.5.2" => {
            Syntax { compression: Compression::None { order: Order::Big }, ..Syntax::plain(Encoding::IMPLICIT_LITTLE) }
        }
        "1.2.840.10008.1.2.5" => encapsulated(Compression::Rle),
        "1.2.840.10008.1.2.8.1" => encapsulated(Compression::Deflate),
        "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81" => encapsulated(Compression::JpegLs),
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => encapsulated(Compression::Jpeg2000),
        "1.2.840.10008.1.2.4.110" | "1.2.840.10008.1.2.4.111" | "1.2.840.10008.1.2.4.112" => {
            encapsulated(Compression::JpegXl)
        }
        "1.2.840.10008.1.2.4.201" | "1.2.840.10008.1.2.4.202" | "1.2.840.10008.1.2.4.203" => {
            encapsulated(Compression::HighThroughput)
        }
        _ => {
            let number = uid.strip_prefix("1.2.840.10008.1.2.4.").and_then(|n| n.parse::<u32>().ok());
            match number {
                Some(50..=66 | 70) => encapsulated(Compression::Jpeg),
                Some(92 | 93) => return Err(unsupported("multi-component JPEG 2000 (part 2)", CONVERT)),
                Some(94 | 95) => {
                    let instead = "fetch its pixels from the archive and save it as a whole DICOM file";
                    return Err(unsupported("a reference to pixels on a server (JPIP)", instead));
                }
                Some(100..=108) => {
                    let instead = "export its frames as pictures, for example with `ffmpeg`";
                    return Err(unsupported("video (MPEG-2, H.264 or H.265)", instead));
                }
                _ => return Err(unsupported(&format!("the transfer syntax {}", shortened(uid)), CONVERT)),
            }
        }
    };
    Ok(syntax)
}

fn unsupported(found: &str, instead: &'static str) -> FormatError {
    FormatError::Unsupported { format: FORMAT, found: found.to_owned(), instead }
}

/// An identifier as far as it is one, so that no other text gets into a message.
fn shortened(uid: &str) -> String {
    uid.chars().filter(|c| c.is_ascii_digit() || *c == '.').take(64).collect()
}
