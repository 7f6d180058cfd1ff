"""TIFF files in every combination of layout and kind of samples, and what tifffile makes of them.

    python make_table.py            # rewrites table.txt, files.zlib and expected.safetensors beside this script

Needs tifffile 2026.3, imagecodecs, numpy, Pillow and safetensors. All pictures are noise drawn by a fixed generator, with sides that
are no multiples of the tile's. Each line of table.txt is a file: its bytes in files.zlib (all files one after the other,
compressed together), its name, and "= KEY" where it is read as the array KEY of expected.safetensors, or "! WORDS" where it is
refused with a message that holds the words. A file that is read has been read by tifffile with the same samples.

Names: kind, channels (c4a: the fourth is alpha, c4x: it has no meaning), chunky or planar, strips or tiles, compression,
predictor, byte order, classic or big.
"""
import io
import itertools
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
W, H, TILE, ROWS = 19, 11, 16, 4
FILES, LINES, EXPECTED = [], [], {}
RNG = np.random.default_rng(20)
KINDS = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "f2", "f4", "f8"]
NAMES = {"u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "i1": "i8", "i2": "i16", "i4": "i32", "f2": "f16", "f4": "f32", "f8": "f64"}
ORDERS = itertools.cycle([("<", False), (">", False), ("<", True), (">", True)])
#: Channels, meaning, kinds of the further ones.
CHANNELS = {"c1": (1, "minisblack", []), "c2a": (2, "minisblack", ["unassalpha"]), "c2x": (2, "minisblack", ["unspecified"]),
            "c3": (3, "rgb", []), "c4a": (4, "rgb", ["unassalpha"]), "c4x": (4, "rgb", ["unspecified"]),
            "c5": (5, "rgb", ["assocalpha", "unspecified"])}
PACKINGS = [(None, 1), ("packbits", 1), ("lzw", 1), ("lzw", 2), ("zlib", 1), ("zlib", 2), ("lzw", 3), ("zlib", 3)]


def noise(kind, channels, levels=4):
    """[H, W, channels]: four values of the kind's range in no order, so that files stay small."""
    at = RNG.integers(0, levels, (H, W, channels))
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        table = np.array([-3, 0.5, 2.75, 1000])
    elif dtype.itemsize <= 2:
        info = np.iinfo(dtype)
        table = np.linspace(info.min, info.max, levels).round()
    else:  # No more digits than f32 has.
        table = np.array([0, 255, 65537, 16777215]) * (1 if dtype.kind == "u" else -1)
    return table[at % len(table)].astype(dtype)


PICTURES = {(kind, n): noise(kind, n) for kind in KINDS for n in range(1, 6)}


def expected(key, array):
    """Notes what the picture is; an equal one under the same key."""
    array = np.ascontiguousarray(array)
    if key in EXPECTED:
        assert np.array_equal(EXPECTED[key], array), key
    EXPECTED[key] = array
    return f"= {key}"


def colours(kind, array, white=False):
    """Key and array of what is shown of [H, W, channels]."""
    own = array[..., :3] if array.shape[-1] >= 3 else array[..., 0]
    name = f"{NAMES[kind]}.c{array.shape[-1]}{'.white' if white else ''}"
    if kind == "u1":
        return expected(name, 255 - own if white else own)
    if kind == "u2" and own.ndim == 3:
        return expected(name, (own >> 8).astype(np.uint8))
    values = own.astype(np.float64)
    if white:
        values = {"u2": 65535, "f2": 1, "f4": 1, "f8": 1}.get(kind, -1) - values
    return expected(name, values.astype(np.float32))


def add(name, data, outcome):
    FILES.append(data)
    LINES.append(f"{len(data):6} {name} {outcome}")


def written(array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, metadata=None, software=False, **options)
    return out.getvalue()


def same(data, array, planar):
    found = np.squeeze(tifffile.imread(io.BytesIO(data)))
    want = np.squeeze(np.moveaxis(array, -1, 0) if planar else array)
    assert found.dtype.newbyteorder("=") == want.dtype and np.array_equal(found, want)


def make_layouts():
    for kind, (channels, (n, photometric, extra)) in itertools.product(KINDS, CHANNELS.items()):
        array = PICTURES[kind, n]
        for planar, tiled, (compression, predictor) in itertools.product([False, True], [False, True], PACKINGS):
            if (planar and n == 1) or (predictor == 3 and kind[0] != "f"):
                continue
            order, big = next(ORDERS)
            layout = {"tile": (TILE, TILE)} if tiled else {"rowsperstrip": ROWS}
            stored = np.moveaxis(array, -1, 0) if planar else array if n > 1 else array[..., 0]
            more = {"planarconfig": "separate" if planar else "contig"} if n > 1 else {}
            # Differences of floats are those of their bits: written as whole numbers, then called floats.
            as_bits = predictor == 2 and kind[0] == "f"
            data = written(stored.view("i" + kind[1]) if as_bits else stored, photometric=photometric, compression=compression,
                           extrasamples=extra or None, predictor=predictor if predictor > 1 else None, byteorder=order,
                           bigtiff=big, **layout, **more)
            data = called_float(data, order, n) if as_bits else data
            same(data, array, planar)
            name = " ".join([NAMES[kind], channels, "planar" if planar else "chunky", "tiles" if tiled else "strips",
                             compression or "none", f"p{predictor}", "le" if order == "<" else "be", "big" if big else "classic"])
            add(name, data, colours(kind, array))


def called_float(data, order, channels):
    at = tifffile.TiffFile(io.BytesIO(data)).pages[0].tags[339].valueoffset
    return data[:at] + (3).to_bytes(2, "little" if order == "<" else "big") * channels + data[at + 2 * channels:]


def make_white():
    for kind, tiled, compression in itertools.product(KINDS, [False, True], [None, "zlib"]):
        order, big = next(ORDERS)
        array = PICTURES[kind, 1]
        layout = {"tile": (TILE, TILE)} if tiled else {"rowsperstrip": ROWS}
        data = written(array[..., 0], photometric="miniswhite", compression=compression, byteorder=order, bigtiff=big, **layout)
        same(data, array, False)
        add(f"{NAMES[kind]} white-is-zero {'tiles' if tiled else 'strips'} {compression or 'none'}", data, colours(kind, array, True))


def make_packed():
    """Samples that do not fill bytes, and palettes."""
    for bits, tiled, compression in itertools.product([1, 2, 4, 10, 12, 14], [False, True], [None, "packbits", "lzw", "zlib"]):
        values = RNG.integers(0, 1 << bits, (H, W)).astype(np.uint8 if bits < 8 else np.uint16)
        key = f"bits{bits}"
        values = PICTURES.setdefault(key, values)
        shown = (values.astype(int) * 255 // ((1 << bits) - 1)).astype(np.uint8) if bits < 8 else values.astype(np.float32)
        order, big = next(ORDERS)
        array = values.astype(bool) if bits == 1 else values
        data = packed(array, bits, tiled, compression, order, big)
        found = tifffile.imread(io.BytesIO(data))
        assert np.array_equal(found, array), key
        add(f"{bits}-bit {'tiles' if tiled else 'strips'} {compression or 'none'}", data, expected(key, shown))
    for kind, tiled, big in itertools.product(["u1", "u2"], [False, True], [False, True]):
        bits = 8 * int(kind[1])
        table = (np.arange(3 << bits) * 40503 % 65536).astype(np.uint16).reshape(3, -1)
        if bits == 16:  # All of it would be 400 kB; the last places only are used.
            table[:, :-64] = 0
        values = (RNG.integers(0, 64, (H, W)) + (1 << bits) - 64).astype(kind)
        values = PICTURES.setdefault(f"palette{bits}", values)
        layout = {"tile": (TILE, TILE)} if tiled else {"rowsperstrip": ROWS}
        data = written(values, photometric="palette", colormap=table, bigtiff=big, compression="zlib", **layout)
        assert np.array_equal(tifffile.imread(io.BytesIO(data)), values)
        shown = (np.moveaxis(table[:, values], 0, -1) >> 8).astype(np.uint8)
        add(f"palette{bits} {'tiles' if tiled else 'strips'} {'big' if big else 'classic'}", data, expected(f"palette{bits}", shown))


def packed(array, bits, tiled, compression, order, big):
    """tifffile writes 1-bit only; other depths are packed here, as one strip or tile after the other."""
    layout = {"tile": (TILE, TILE)} if tiled else {"rowsperstrip": ROWS}
    if bits == 1:
        return written(array, photometric="minisblack", compression=compression, byteorder=order, bigtiff=big, **layout)

    def rows(block):
        out = b""
        for row in block:
            text = "".join(format(int(v), f"0{bits}b") for v in row)
            text += "0" * (-len(text) % 8)
            out += int(text, 2).to_bytes(len(text) // 8, "big")
        return out

    if tiled:
        padded = np.pad(array, ((0, -H % TILE), (0, -W % TILE)))
        blocks = [padded[y:y + TILE, x:x + TILE] for y in range(0, H, TILE) for x in range(0, W, TILE)]
    else:
        blocks = [array[y:y + ROWS] for y in range(0, H, ROWS)]
    codes = {None: 1, "packbits": 32773, "lzw": 5, "zlib": 8}
    pack = {None: bytes, "packbits": imagecodecs.packbits_encode, "lzw": imagecodecs.lzw_encode, "zlib": zlib.compress}[compression]
    chunks = [pack(rows(block)) for block in blocks]
    shape = [(322, TILE), (323, TILE)] if tiled else [(278, ROWS)]
    return ifd([(256, W), (257, H), (258, bits), (259, codes[compression]), (262, 1), (277, 1)] + shape, chunks, tiled, order, big)


def ifd(tags, chunks, tiled, order="<", big=False):
    """A file with these tags, each of one number, and these strips or tiles."""
    one, head, at = ("Q", 16, 8) if big else ("I", 8, 4)
    data, offsets = b"", []
    for part in chunks:
        offsets.append(head + len(data))
        data += part
    start = head + len(data)
    tags = tags + [(324 if tiled else 273, offsets), (325 if tiled else 279, [len(part) for part in chunks])]
    tags = sorted((tag, value if isinstance(value, list) else [value]) for tag, value in tags)
    first = struct.pack(order + ("Q" if big else "H"), len(tags))
    tail_at = start + len(first) + len(tags) * (20 if big else 12) + at
    body = tail = b""
    for tag, values in tags:
        packed = struct.pack(order + one * len(values), *values)
        body += struct.pack(order + "HH" + one, tag, 16 if big else 4, len(values))
        if len(packed) <= at:
            body += packed.ljust(at, b"\0")
        else:
            body += struct.pack(order + one, tail_at + len(tail))
            tail += packed
    mark = {"<": b"II", ">": b"MM"}[order] + (struct.pack(order + "HHHQ", 43, 8, 0, start) if big else struct.pack(order + "HI", 42, start))
    return mark + data + first + body + b"\0" * at + tail


def make_jpeg():
    """JPEG of each kind; decoders differ by rounding, so smooth pictures and a key that allows for it (".near")."""
    y, x = np.mgrid[0:H, 0:W]
    smooth = [np.round(127.5 + 120 * np.sin(x / 9 + c) * np.cos(y / 8 - c)).astype(np.uint8) for c in range(5)]
    for (channels, (n, photometric, extra)), planar, tiled in itertools.product(CHANNELS.items(), [False, True], [False, True]):
        if planar and n == 1:
            continue
        layout = {"tile": (TILE, TILE)} if tiled else {"rowsperstrip": 8}
        array = np.stack(smooth[:n], -1)
        stored = np.moveaxis(array, -1, 0) if planar else array if n > 1 else array[..., 0]
        more = {"planarconfig": "separate" if planar else "contig"} if n > 1 else {}
        name = f"u8 {channels} {'planar' if planar else 'chunky'} {'tiles' if tiled else 'strips'} jpeg"
        try:
            data = written(stored, photometric=photometric, extrasamples=extra or None, compression="jpeg",
                           compressionargs={"level": 95}, **layout, **more)
            found = np.squeeze(tifffile.imread(io.BytesIO(data)))
        except Exception as error:  # tifffile writes no such file, or does not read it.
            print("no", name, error)
            continue
        found = np.moveaxis(found, 0, -1) if planar else found.reshape(H, W, n)
        if not planar and n == 2:
            add(name, data, "! grey with a further channel in JPEG")
            continue
        shown = found[..., :3] if n >= 3 else found[..., 0]
        add(name, data, expected(f"{name}.near".replace(" ", "-"), shown))


def make_jfif():
    """Slide scanners' files say RGB of JPEG data that are YCbCr by their JFIF header."""
    y, x = np.mgrid[0:H, 0:W]
    array = np.stack([x * 13 % 256, y * 20 % 256, 200 - x * 5], -1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(array).save(out, format="JPEG", quality=95, subsampling=0)
    data = ifd([(256, W), (257, H), (258, [8, 8, 8]), (259, 7), (262, 2), (277, 3), (278, H)], [out.getvalue()], False)
    found = tifffile.imread(io.BytesIO(data))
    assert np.abs(found.astype(int) - array).mean() < 10
    add("u8 c3 chunky strips jpeg with JFIF header called RGB", data, expected("jfif.near", found))


def make_refused():
    rgb, grey = PICTURES["u1", 3], PICTURES["u1", 1][..., 0]
    for compression, words in [("zstd", "zstd"), ("lzma", "LZMA"), ("jpeg2000", "JPEG 2000"), ("webp", "WebP"), ("jpegxl", "JPEG XL"),
                               ("lerc", "LERC"), ("png", "PNG compression"), ("jpegxr", "JPEG XR")]:
        options = {"compressionargs": {"lossless": True}} if compression == "webp" else {}
        add(f"compression {compression}", written(rgb, photometric="rgb", compression=compression, **options), f"! {words}")
    number = [(256, W), (257, H), (258, 8), (262, 1), (277, 1), (278, H)]
    plain = [grey.tobytes()]
    for code, words in [(2, "CCITT run-length"), (3, "CCITT Group 3"), (6, "JPEG compression of the old style"), (34713, "Nikon"), (12345, "number 12345")]:
        add(f"compression {code}", ifd(number + [(259, code)], plain, False), f"! {words}")
    for code, words in [(4, "mask"), (8, "L*a*b*"), (32803, "colour filter"), (34892, "raw"), (999, "interpretation 999")]:
        add(f"photometric {code}", ifd([(tag, code if tag == 262 else value) for tag, value in number] + [(259, 1)], plain, False), f"! {words}")
    add("no photometric", ifd([pair for pair in number if pair[0] != 262] + [(259, 1)], plain, False), "! not stated")
    add("predictor without compression", ifd(number + [(259, 1), (317, 2)], plain, False), "! predictor without")
    add("complex", written(grey.astype(np.complex64)), "! complex numbers")
    for kind, n in [("u1", 4), ("u1", 5), ("u2", 3), ("u2", 5)]:
        add(f"{NAMES[kind]} c{n} minisblack", written(PICTURES[kind, n], photometric="minisblack", planarconfig="contig"),
            f"! {n} channels of {8 * int(kind[1])}-bit grey")
    add("u8 c3 minisblack", written(rgb, photometric="minisblack", planarconfig="contig"), colours("u1", rgb))
    # Lengths of strips left out, and zero.
    lengths = ifd(number + [(259, 1)], plain, False)
    add("strip lengths of zero", lengths.replace(len(plain[0]).to_bytes(4, "little"), b"\0\0\0\0"), colours("u1", PICTURES["u1", 1]))
    add("no strip lengths", lengths.replace((279).to_bytes(2, "little") + b"\4\0", (65279).to_bytes(2, "little") + b"\4\0"),
        colours("u1", PICTURES["u1", 1]))


def main():
    make_layouts()
    make_white()
    make_packed()
    make_jpeg()
    make_jfif()
    make_refused()
    (HERE / "table.txt").write_text("\n".join(LINES) + "\n")
    (HERE / "files.zlib").write_bytes(zlib.compress(b"".join(FILES), 9))
    save_file(EXPECTED, str(HERE / "expected.safetensors"))
    print(len(LINES), "files,", sum(map(len, FILES)), "bytes,", (HERE / "files.zlib").stat().st_size, "compressed,", len(EXPECTED), "pictures")


main()
