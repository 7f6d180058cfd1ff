//! Names that people know for what a TIFF file may hold.
//!
//! In: numbers of tags. Out: what a refusal says in the sentence "this TIFF file has …, which this build does not read".

/// A kind of compression that is not read.
pub(super) fn compression(number: u64) -> String {
    let name = match number {
        2 | 32771 => "CCITT run-length compression (fax)",
        3 => "CCITT Group 3 compression (fax)",
        6 => "JPEG compression of the old style (before 1995)",
        9 | 10 | 34661 => "JBIG compression",
        22610 | 34934 => "JPEG XR compression, as slide scanners write",
        32766 => "NeXT compression",
        32767 => "Sony camera raw compression",
        32809 => "ThunderScan compression",
        32895..=32898 => "a prepress compression (IT8)",
        32908 | 32909 => "Pixar compression",
        33003..=33005 => "JPEG 2000 compression, as slide scanners write",
        34676 | 34677 => "SGI Log compression",
        34712 => "JPEG 2000 compression",
        34713 => "Nikon camera raw compression",
        34887 => "LERC compression",
        34892 => "lossy camera raw compression (DNG)",
        34925 => "LZMA compression",
        34926 | 50000 => "zstd compression",
        34927 | 50001 => "WebP compression",
        34933 => "PNG compression",
        48124 => "Jetraw compression",
        50002 | 52546 => "JPEG XL compression",
        65000..=65002 => "electron microscope compression (EER)",
        _ => return format!("a compression of its maker's own (number {number})"),
    };
    name.to_owned()
}

/// A meaning of pixels that is not read.
pub(super) fn photometric(number: u64) -> String {
    let name = match number {
        4 => "a mask instead of a picture",
        8 => "CIE L*a*b* colours",
        9 => "ICC L*a*b* colours",
        10 => "ITU L*a*b* colours",
        32803 => "a camera's colour filter pattern (raw)",
        32844 | 32845 => "logarithmic light values (SGI LogLuv)",
        34892 => "a camera's raw values (DNG)",
        51177 => "depth values",
        _ => return format!("pixels whose meaning is its maker's own (photometric interpretation {number})"),
    };
    name.to_owned()
}
