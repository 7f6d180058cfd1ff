"""Odd and bad picture files, and what Pillow makes of the odd ones.

    python make_corpus.py            # rewrites files/, cases.json and expected.safetensors beside this script

Needs Pillow < 13, numpy, safetensors and tifffile. All pictures are formulas. `expected.safetensors` holds for each
readable file `<name>.pil`, the bytes of convert('RGB') after exif_transpose, [height, width, 3]; for deep grey
also `<name>.auto`, the 0.5 to 99.5 percentile window in float64. `tolerance` is in steps of 255: 0 where the
format leaves no choice, more where decoders round differently (JPEG, lossy WebP).
"""
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageOps
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
FILES = HERE / "files"
W, H = 19, 13
TRANSPARENT = ["transparent parts are analysed as stored, with the colours that lie hidden under them"]
CASES, EXPECTED = [], {}


def ramp(channels, width=W, height=H):
    """Smooth u8 picture [height, width, channels] with full range."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 3 + c) * np.cos(y / 4 - c) for c in range(channels)]
    return np.stack([np.round(127.5 + 127.5 * w).astype(np.uint8) for w in waves], -1)


def deep(width=W, height=H):
    """u16 picture from 0 to 4000, with a few bright pixels."""
    y, x = np.mgrid[0:height, 0:width]
    values = (x * 4000 // (width - 1) * (y + 1) // height).astype(np.uint16)
    values[2, 3], values[5, 7] = 65535, 255
    return values


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, extra=b"", interlace=0):
    """PNG by hand: `rows` are the packed bytes of each row."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    data = zlib.compress(b"".join(b"\0" + r for r in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pack(indices, bits):
    """u8 [h, w] of small numbers -> packed rows."""
    rows = []
    for row in indices:
        text = "".join(format(int(v), f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return rows


def tiff(array, photometric, bits, fmt=1, order="<", planar=False):
    """Uncompressed classic TIFF by hand, one strip a plane; array [h, w] or [h, w, c] in the file's dtype."""
    height, width = array.shape[:2]
    samples = array.shape[2] if array.ndim == 3 else 1
    array = array.astype(array.dtype.newbyteorder(order))
    data = (array.transpose(2, 0, 1) if planar else array).tobytes()
    strips, strip = (samples, len(data) // samples) if planar else (1, len(data))
    tags = [(256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * samples), (259, 3, [1]), (262, 3, [photometric]),
            (273, 4, [8 + i * strip for i in range(strips)]), (277, 3, [samples]), (278, 4, [height]),
            (279, 4, [strip] * strips), (284, 3, [2 if planar else 1]), (339, 3, [fmt] * samples)]
    start = 8 + len(data) + len(data) % 2
    ifd, tail, tail_at = b"", b"", start + 2 + 12 * len(tags) + 4
    for tag, kind, values in tags:
        body = struct.pack(order + {3: "H", 4: "I"}[kind] * len(values), *values)
        if len(body) > 4:
            ifd += struct.pack(order + "HHII", tag, kind, len(values), tail_at + len(tail))
            tail += body
        else:
            ifd += struct.pack(order + "HHI", tag, kind, len(values)) + body.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return head + data + b"\0" * (len(data) % 2) + struct.pack(order + "H", len(tags)) + ifd + b"\0\0\0\0" + tail


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def to_window(values):
    """The percentile window in float64."""
    values = values.astype(np.float64)
    low, high = np.percentile(values[np.isfinite(values)], [0.5, 99.5])
    scaled = np.clip((values - low) / (high - low), 0, 1) * 255
    shown = np.floor(np.nan_to_num(scaled) + 0.5).astype(np.uint8)
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, -1)


def clipped(values):
    """What the window "pil" makes of values that Pillow does not read."""
    shown = np.clip(values, 0, 255).astype(np.uint8)
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, -1)


def good(name, data, tolerance=0, values=None, notes=(), pil=None):
    """A file that is read. `values`: deep grey or colour in its own units. `pil`: expected bytes where Pillow differs on purpose."""
    (FILES / name).write_bytes(data)
    if pil is None:
        pil = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    EXPECTED[name + ".pil"] = np.ascontiguousarray(pil)
    if values is not None:
        EXPECTED[name + ".auto"] = to_window(values)
    CASES.append({"file": name, "size": [int(pil.shape[1]), int(pil.shape[0])], "deep": values is not None,
                  "notes": list(notes), "tolerance": tolerance})


def bad(name, data, error, says=""):
    """A file that must be refused with this kind of error, whose message holds `says`."""
    (FILES / name).write_bytes(data)
    CASES.append({"file": name, "error": error, "says": says})


def make_png():
    rgb, grey, alpha = ramp(3), ramp(1)[..., 0], ramp(4)
    good("rgb8.png", saved(Image.fromarray(rgb), format="PNG"))
    good("rgba8.png", saved(Image.fromarray(alpha), format="PNG"), notes=TRANSPARENT)
    good("la8.png", saved(Image.fromarray(ramp(2), "LA"), format="PNG"), notes=TRANSPARENT)
    for bits in (1, 2, 4):
        good(f"grey{bits}.png", png(W, H, bits, 0, pack(grey >> (8 - bits), bits)))
    good("grey8_transparent.png", saved(Image.fromarray(grey), format="PNG", transparency=127))
    for bits in (1, 2, 4, 8):
        n = 1 << bits
        table = np.stack([np.arange(n) * 251 % 256, np.arange(n) * 97 % 256, 255 - np.arange(n)], -1).astype(np.uint8)
        clear = np.arange(n, dtype=np.uint8)[::-1].tobytes()
        extra = chunk(b"PLTE", table.tobytes()) + chunk(b"tRNS", clear)
        good(f"palette{bits}_transparent.png", png(W, H, bits, 3, pack(grey >> (8 - bits), bits), extra), notes=TRANSPARENT)
    wide = rgb.astype(np.uint16) * 257 - 100 * (rgb > 3)
    good("rgb16.png", png(W, H, 16, 2, [r.astype(">u2").tobytes() for r in wide]))
    wide = alpha.astype(np.uint16) * 257 - 100 * (alpha > 3)
    good("rgba16.png", png(W, H, 16, 6, [r.astype(">u2").tobytes() for r in wide]), notes=TRANSPARENT)
    good("la16.png", png(W, H, 16, 4, [r.astype(">u2").tobytes() for r in wide[..., :2]]), values=wide[..., 0], notes=TRANSPARENT)
    values = deep()
    rows = [r.astype(">u2").tobytes() for r in values]
    good("grey16.png", png(W, H, 16, 0, rows), values=values)
    good("grey16_transparent.png", png(W, H, 16, 0, rows, chunk(b"tRNS", b"\0\xff")), values=values, notes=TRANSPARENT)
    exif = Image.Exif()
    exif[274] = 6
    good("exif6.png", saved(Image.fromarray(rgb), format="PNG", exif=exif))
    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    good("animated.png", saved(frames[0], format="PNG", save_all=True, append_images=frames[1:]), notes=["frame 1 of 2 is analysed"])
    whole = saved(Image.fromarray(rgb), format="PNG")
    good("no_iend.png", whole[:-12], notes=["the mark of the file's end is missing, though every pixel is there"], pil=rgb)
    turn = chunk(b"eXIf", exif.tobytes()[6:])
    good("exif_after_idat.png", whole[:-12] + turn + whole[-12:], pil=np.rot90(rgb, -1))
    hidden = np.dstack([rgb, np.where(rgb[..., 0] > 99, 0, 255).astype(np.uint8)])
    good("hidden_colours.png", saved(Image.fromarray(hidden), format="PNG"), notes=TRANSPARENT)
    opaque = np.dstack([rgb, np.full((H, W), 255, np.uint8)])
    good("opaque_alpha.png", saved(Image.fromarray(opaque), format="PNG"))
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [r.tobytes() for x, y, dx, dy in passes for r in rgb[y::dy, x::dx] if len(r)]
    good("interlaced.png", png(W, H, 8, 2, rows, interlace=1))


def ycck(rgb):
    """A JPEG as Photoshop writes CMYK: YCbCr and black, marked by Adobe's transform 2; Pillow writes the samples."""
    inks = 255 - np.asarray(rgb.convert("CMYK")).astype(int)
    colours = np.asarray(Image.fromarray((255 - inks[..., :3]).astype(np.uint8)).convert("YCbCr"))
    stored = 255 - np.dstack([colours, inks[..., 3].astype(np.uint8)])
    data = bytearray(saved(Image.fromarray(stored.astype(np.uint8), "CMYK"), format="JPEG", quality=100, subsampling=0))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def written(array, **options):
    """TIFF by tifffile, without its own notes."""
    out = io.BytesIO()
    tifffile.imwrite(out, array, **({"metadata": None} | options), software=False)
    return out.getvalue()


def joined(pages):
    """TIFF files of one page each (little-endian, classic) to one of several."""
    out = b"II*\0" + struct.pack("<I", 0)
    link = 4
    for data in pages:
        base = len(out)
        start = struct.unpack_from("<I", data, 4)[0]
        page = bytearray(data)
        count = struct.unpack_from("<H", page, start)[0]
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, n = struct.unpack_from("<HHI", page, at)
            if n * {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}[kind] > 4 or tag == 273:
                if tag == 273 and n > 1:
                    first = struct.unpack_from("<I", page, at + 8)[0]
                    for one in range(first, first + 4 * n, 4):
                        struct.pack_into("<I", page, one, struct.unpack_from("<I", page, one)[0] + base)
                struct.pack_into("<I", page, at + 8, struct.unpack_from("<I", page, at + 8)[0] + base)
        out = out[:link] + struct.pack("<I", base + start) + out[link + 4:] + bytes(page)
        out += b"\0" * (len(out) % 2)
        link = base + start + 2 + 12 * count
    return out


def make_jpeg():
    rgb = Image.fromarray(ramp(3, 37, 29))
    good("grey.jpg", saved(rgb.convert("L"), format="JPEG", quality=90), 1)
    good("rgb444.jpg", saved(rgb, format="JPEG", quality=90, subsampling=0), 2)
    good("rgb422.jpg", saved(rgb, format="JPEG", quality=90, subsampling=1), 3)
    good("rgb420.jpg", saved(rgb, format="JPEG", quality=90, subsampling=2), 3)
    good("progressive.jpg", saved(rgb, format="JPEG", quality=90, progressive=True, subsampling=2), 3)
    good("restarts.jpg", saved(rgb, format="JPEG", quality=90, restart_marker_blocks=2), 3)
    good("cmyk.jpg", saved(rgb.convert("CMYK"), format="JPEG", quality=90), 2)
    grey = saved(rgb.convert("L"), format="JPEG", quality=90)
    good("grey_adobe.jpg", grey[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0" + grey[2:], 1)
    good("ycck.jpg", ycck(rgb), 3)
    for value in range(2, 9):
        exif = Image.Exif()
        exif[274] = value
        good(f"exif{value}.jpg", saved(rgb, format="JPEG", quality=90, subsampling=0, exif=exif), 2)
    return saved(rgb, format="JPEG", quality=90), saved(rgb, format="JPEG", quality=90, progressive=True)


def make_webp():
    good("lossless.webp", saved(Image.fromarray(ramp(3)), format="WEBP", lossless=True))
    good("lossless_alpha.webp", saved(Image.fromarray(ramp(4)), format="WEBP", lossless=True, exact=True), notes=TRANSPARENT)
    good("lossy.webp", saved(Image.fromarray(ramp(3, 37, 29)), format="WEBP", quality=80), 1)
    good("lossy_alpha.webp", saved(Image.fromarray(ramp(4, 37, 29)), format="WEBP", quality=80, exact=True), 1, notes=TRANSPARENT)
    exif = Image.Exif()
    exif[274] = 8
    good("exif8.webp", saved(Image.fromarray(ramp(3)), format="WEBP", lossless=True, exif=exif))
    frames = [Image.fromarray(ramp(3)), Image.fromarray(255 - ramp(3))]
    good("animated.webp", saved(frames[0], format="WEBP", lossless=True, save_all=True, append_images=frames[1:]), notes=["frame 1 of 2 is analysed"])


def make_bmp():
    rgb = Image.fromarray(ramp(3))
    good("rgb.bmp", saved(rgb, format="BMP"))
    good("rgba.bmp", saved(Image.fromarray(ramp(4)), format="BMP"))
    good("grey.bmp", saved(rgb.convert("L"), format="BMP"))
    good("one_bit.bmp", saved(rgb.convert("1"), format="BMP"))
    good("palette.bmp", saved(rgb.quantize(17), format="BMP"))


def make_tiff():
    rgb, values = ramp(3), deep()
    for name, compression in (("raw", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")):
        good(f"rgb_{name}.tif", saved(Image.fromarray(rgb), format="TIFF", compression=compression))
    good("rgba.tif", saved(Image.fromarray(ramp(4)), format="TIFF"), notes=TRANSPARENT)
    good("la.tif", saved(Image.fromarray(ramp(2), "LA"), format="TIFF"), notes=TRANSPARENT)
    good("cmyk.tif", saved(Image.fromarray(ramp(4), "CMYK"), format="TIFF"))
    good("one_bit.tif", saved(Image.fromarray(rgb).convert("1"), format="TIFF"))
    good("one_bit_fax4.tif", saved(Image.fromarray(rgb).convert("1"), format="TIFF", compression="group4"))
    good("palette.tif", saved(Image.fromarray(rgb).quantize(17), format="TIFF"))
    good("palette_lzw.tif", saved(Image.fromarray(rgb).quantize(17), format="TIFF", compression="tiff_lzw"))
    good("jpeg.tif", saved(Image.fromarray(ramp(3, 37, 29)), format="TIFF", compression="jpeg", quality=90), 3)
    good("white_is_zero.tif", tiff(ramp(1)[..., 0], 0, 8))
    for order, name in (("<", "le"), (">", "be")):
        good(f"grey16_{name}.tif", tiff(values, 1, 16, order=order), values=values)
        good(f"float32_{name}.tif", tiff((values / 7 - 30).astype(np.float32), 1, 32, 3, order), values=(values / 7 - 30).astype(np.float32))
        good(f"int32_{name}.tif", tiff(values.astype(np.int32) - 900, 1, 32, 2, order), values=values.astype(np.int32) - 900)
    hounsfield = values.astype(np.int32).clip(0, 4000) - 1000
    good("int16_le.tif", tiff(hounsfield.astype(np.int16), 1, 16, 2), values=hounsfield)
    good("float32_nan.tif", tiff(np.where(values == 255, np.nan, values).astype(np.float32), 1, 32, 3),
         values=np.where(values == 255, np.nan, values).astype(np.float32))
    good("float64.tif", tiff(values / 7 - 30, 1, 64, 3), values=(values / 7 - 30),
         pil=np.repeat(np.clip(values / 7 - 30, 0, 255).astype(np.uint8)[..., None], 3, -1))  # Pillow does not read it
    good("rgb16.tif", tiff(rgb.astype(np.uint16) * 257 - 100 * (rgb > 3), 2, 16))
    good("planar.tif", tiff(rgb, 2, 8, planar=True))
    exif = Image.Exif()
    exif[274] = 3
    good("orientation3.tif", saved(Image.fromarray(rgb), format="TIFF", exif=exif))
    pages = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    good("two_pages.tif", saved(pages[0], format="TIFF", save_all=True, append_images=pages[1:]), notes=["page 1 of 2 is analysed"])
    small, mask = Image.fromarray(rgb[::3, ::3]), Image.fromarray(rgb[..., 0] > 99)
    pages = [(small, 1), (mask, 4), (Image.fromarray(rgb), 0), (small, 1), (Image.fromarray(255 - rgb), 0)]
    good("thumbnail_and_mask_first.tif", joined([saved(page, format="TIFF", tiffinfo={254: kind}) for page, kind in pages]),
         notes=["page 1 of 2 is analysed"], pil=rgb)
    good("thumbnail_behind.tif", joined([saved(page, format="TIFF", tiffinfo={254: kind}) for page, kind in pages[2:4]]), pil=rgb)
    stack = np.stack([values, values[::-1], values[:, ::-1]])
    good("imagej.tif", written(stack, imagej=True, metadata={"axes": "ZYX"}), values=values, notes=["page 1 of 3 is analysed"])
    deep_grey = values.astype(np.uint32) % 2568
    good("uint32_white_is_zero.tif", written(deep_grey, photometric="miniswhite"), values=-1.0 - deep_grey, pil=clipped(-1.0 - deep_grey))
    good("uint64_white_is_zero.tif", written(deep_grey.astype(np.uint64), photometric="miniswhite"), values=-1.0 - deep_grey, pil=clipped(-1.0 - deep_grey))
    good("int16_white_is_zero.tif", written(deep_grey.astype(np.int16) - 999, photometric="miniswhite"), values=998.0 - deep_grey, pil=clipped(998.0 - deep_grey))
    low = 4294960000
    good("uint32_near_the_top.tif", written(deep_grey + np.uint32(low)), values=deep_grey.astype(np.float32), pil=clipped(deep_grey),
         notes=[f"grey values are large and are counted from {low}"])
    good("la16.tif", written(np.dstack([deep_grey, 255 * deep_grey]).astype(np.uint16), photometric="minisblack", planarconfig="contig",
         extrasamples=["unassalpha"]), values=deep_grey, notes=TRANSPARENT, pil=clipped(deep_grey))
    light = (rgb / 255 * 3 - 1).astype(np.float32)
    good("rgb_float32.tif", written(light, photometric="rgb"), values=light, pil=clipped(light))
    more = np.dstack([rgb, rgb[..., :2]])
    good("rgb_two_more.tif", written(more, photometric="rgb", extrasamples=["unspecified"] * 2, compression="lzw", predictor=2), pil=rgb,
         notes=["2 further channels of the file are left out"])


def make_bad(baseline, progressive):
    whole = saved(Image.fromarray(ramp(3)), format="PNG")
    bad("empty.png", b"", "Empty", "0 bytes")
    bad("text.png", b"This is a report, saved under the wrong name.\n", "NotAnImage", "text file")
    bad("bm_text.bmp", b"BMI and other values\n", "NotAnImage", "text file")
    bad("noise.jpg", bytes((i * 167 + 13) % 256 for i in range(200)), "NotAnImage")
    bad("picture.gif", b"GIF89a\1\0\1\0\0\0\0;", "NotAnImage", "GIF")
    bad("dicom.png", b"\0" * 128 + b"DICM\2\0\0\0", "NotAnImage", "DICOM")
    bad("document.tif", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "NotAnImage", "PDF")
    bad("signature_only.png", whole[:8], "Truncated")
    bad("cut.png", whole[:len(whole) * 2 // 3], "Truncated")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    bad("bit_flip.png", bytes(flipped), "Damaged")
    bad("short_data.png", png(W, H, 8, 0, [b"\x7f" * W] * (H - 1)), "Damaged")
    bad("huge.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b""), "TooLarge", "60000 x 60000")
    bad("widest.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 0x7fffffff, 1, 16, 6, 0, 0, 0))
        + chunk(b"IDAT", b""), "TooLarge", "2147483647 x 1")
    bad("zero_width.png", png(0, 5, 8, 0, [b""] * 5), "Damaged", "0 x 5")
    bad("cut.jpg", baseline[:len(baseline) * 2 // 3], "Truncated", "end marker")
    bad("cut_progressive.jpg", progressive[:len(progressive) * 2 // 3], "Truncated", "end marker")
    at = baseline.index(b"\xff\xc0")
    bad("huge.jpg", baseline[:at + 5] + struct.pack(">HH", 65500, 65500) + baseline[at + 9:], "TooLarge", "65500 x 65500")
    bad("arithmetic.jpg", baseline[:at + 1] + b"\xc9" + baseline[at + 2:], "Unsupported", "arithmetic")
    bad("lossless.jpg", baseline[:at + 1] + b"\xc3" + baseline[at + 2:], "Unsupported", "lossless")
    bad("12_bit.jpg", baseline[:at + 4] + b"\x0c" + baseline[at + 5:], "Unsupported", "12-bit")
    twice = baseline.index(b"\xff\xda") + 60
    bad("zeros_inside.jpg", baseline[:twice] + b"\xff\xc4\0\0" + baseline[twice:], "Damaged")
    lossy = saved(Image.fromarray(ramp(3, 37, 29)), format="WEBP", quality=80)
    bad("cut.webp", lossy[:len(lossy) * 2 // 3], "Truncated")
    bad("huge.webp", b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<I", 10) + b"\x2f"
        + struct.pack("<I", 15999 | 15999 << 14) + b"\0" * 5, "TooLarge", "16000 x 16000")
    bmp = saved(Image.fromarray(ramp(3)), format="BMP")
    bad("cut.bmp", bmp[:len(bmp) * 2 // 3], "Truncated")
    bad("huge.bmp", bmp[:18] + struct.pack("<ii", 60000, 60000) + bmp[26:], "TooLarge", "60000 x 60000")
    raw = tiff(deep(), 1, 16)
    bad("cut.tif", raw[:len(raw) - 30], "Truncated")
    bad("strip_outside.tif", raw.replace(struct.pack("<HHII", 279, 4, 1, 2 * W * H),
        struct.pack("<HHII", 279, 4, 1, 10 * W * H)), "Truncated", "reach to byte")
    bad("huge.tif", raw.replace(struct.pack("<HHII", 256, 4, 1, W), struct.pack("<HHII", 256, 4, 1, 60000))
        .replace(struct.pack("<HHII", 257, 4, 1, H), struct.pack("<HHII", 257, 4, 1, 60000))
        .replace(struct.pack("<HHII", 278, 4, 1, H), struct.pack("<HHII", 278, 4, 1, 60000)), "TooLarge", "60000 x 60000")
    bad("no_number.tif", tiff(np.full((H, W), np.nan, np.float32), 1, 32, 3), "Damaged", "finite")
    bad("lab.tif", tiff(ramp(3), 8, 8), "Unsupported", "L*a*b*")
    rgb = Image.fromarray(ramp(3, 37, 29))
    inside = saved(rgb, format="TIFF", compression="jpeg", quality=90)
    page = tifffile.TiffFile(io.BytesIO(inside)).pages[0]
    at = page.tags[279].valueoffset
    bad("jpeg_inside_cut.tif", inside[:at] + struct.pack("<I", page.databytecounts[0] // 2) + inside[at + 4:], "Truncated", "end marker")
    start, length = page.dataoffsets[0], page.databytecounts[0]
    bad("jpeg_inside_zeros.tif", inside[:start + length // 2] + b"\0" * (length - length // 2) + inside[start + length:], "Truncated", "end marker")
    bad("grey_alpha_jpeg.tif", saved(Image.fromarray(ramp(2), "LA"), format="TIFF", compression="jpeg"), "Unsupported", "grey with a further channel")
    apple = b"\x89PNG\r\n\x1a\n" + chunk(b"CgBI", b"\x50\0\x20\x02") + whole[8:]
    bad("apple_cgbi.png", apple, "Unsupported", "iPhone-optimised")
    bad("no_header.png", b"\x89PNG\r\n\x1a\n" + chunk(b"gAMA", b"\0\1\x86\xa0") + whole[8:], "Damaged", "header chunk")
    extended = saved(Image.fromarray(ramp(3)), format="WEBP", lossless=True, exif=Image.Exif().tobytes() or b"Exif\0\0II*\0\x08\0\0\0\0\0")
    at = extended.index(b"EXIF") + 4
    bad("exif_of_4_gigabytes.webp", extended[:at] + struct.pack("<I", 0xfffffff0) + extended[at + 4:], "Truncated", "part EXIF")
    tiled = written(np.zeros((1, 9), np.uint8), tile=(16, 16))
    at = tifffile.TiffFile(io.BytesIO(tiled)).pages[0].tags[323].valueoffset
    bad("tiles_without_height.tif", tiled[:at] + b"\0\0" + tiled[at + 2:], "Damaged", "makes no sense")
    at = tifffile.TiffFile(io.BytesIO(raw)).pages[0].tags[277].valueoffset
    bad("65535_channels.tif", raw[:at] + b"\xff\xff" + raw[at + 2:], "Unsupported", "65535 channels")


def main():
    FILES.mkdir(exist_ok=True)
    make_png()
    baseline, progressive = make_jpeg()
    make_webp()
    make_bmp()
    make_tiff()
    make_bad(baseline, progressive)
    (HERE / "cases.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]\n")
    save_file(EXPECTED, str(HERE / "expected.safetensors"))
    print(f"{len(CASES)} files, {sum(p.stat().st_size for p in FILES.iterdir())} bytes")


main()
