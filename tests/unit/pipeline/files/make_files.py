"""Writes the small pictures of this folder and expected.tsv. Run: python make_files.py

Made with Python 3.11, Pillow 13.0.0 (libjpeg-turbo 3.2.0), Keras 3.15.1. Other versions of Pillow may
encode to other bytes; what a file decodes to is what expected.tsv says.

expected.tsv: file, color_mode, dtype, height, width, and sha256 of the pixels of keras.utils.load_img
(row by row, channels interleaved, little endian). Where Fovea refuses a file that Keras may read, there
is a line with the error's code instead.
"""
import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np
from PIL import Image

HERE = Path(__file__).parent
W, H = 13, 9
random = np.random.default_rng(7)

# Read by Keras, refused here: see engine/pipeline/decode_*.h.
REFUSED = {
    "animation.webp": "image/unsupported-format",
    "bits16.bmp": "image/unsupported-format",
    "os2.bmp": "image/unsupported-format",
    "run_lengths.bmp": "image/unsupported-format",
    "masks_rgb.bmp": "image/unsupported-format",
    "gray16.pgm": "image/unsupported-format",
    "cmyk.tif": "image/unsupported-format",
    "float.tif": "image/unsupported-format",
    "group4.tif": "image/unsupported-format",
    "orientation6.tif": "image/unsupported-format",
    "gray16_big_endian.tif": "image/unsupported-format",
    "first_frame.gif": "image/unsupported-format",
}


def noise(*shape, dtype=np.uint8):
    return random.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def packed_rows(bits, largest=None):
    """H rows of W values of `bits` bits, the first one on top."""
    values = random.integers(0, largest or 2**bits, (H, W))
    padding = "0" * (-W * bits % 8)
    text = ["".join(f"{v:0{bits}b}" for v in row) + padding for row in values]
    return [int(row, 2).to_bytes(len(row) // 8, "big") for row in text]


def png(color_type, bits, rows, chunks=(), interlaced=False):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    body = [chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, bits, color_type, 0, 0, interlaced))]
    body += [chunk(*c) for c in chunks]
    body += [chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def seven_passes(pixels):
    """The rows of Adam7's passes; from PNG's third edition, 8.2."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    return [row.tobytes() for top, left, down, right in passes for row in pixels[top::down, left::right] if row.size]


def bmp(bits, rows, palette=b"", compression=0, masks=b"", height=H, header=40, data=None):
    info = struct.pack("<IiiHHIIiiII", header, W, height, 1, bits, compression, 0, 2835, 2835, len(palette) // 4, 0)
    if header == 12:
        info = struct.pack("<IHHHH", 12, W, H, 1, bits)
    if header > 40:
        info, masks = info + masks.ljust(header - 40, b"\0"), b""
    pixels = data or b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    start = 14 + len(info) + len(masks) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + masks + palette + pixels


def tiff(order, bits, samples, photometric, rows, compression=1, rows_per_strip=H, more=()):
    strips = [b"".join(rows[y : y + rows_per_strip]) for y in range(0, H, rows_per_strip)]
    if compression in (8, 32946):
        strips = [zlib.compress(strip) for strip in strips]
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    offsets = []
    for strip in strips:
        offsets.append(len(out))
        out += strip + b"\0" * (len(strip) % 2)
    tags = [(256, 4, [W]), (257, 4, [H]), (258, 3, [bits] * samples), (259, 3, [compression]), (262, 3, [photometric]),
            (273, 4, offsets), (277, 3, [samples]), (278, 4, [rows_per_strip]), (279, 4, [len(s) for s in strips])]
    entries = b""
    for tag, kind, values in sorted(tags + list(more)):
        data = struct.pack(order + {3: "H", 4: "I"}[kind] * len(values), *values)
        if len(data) > 4:
            position = len(out)
            out += data
            data = struct.pack(order + "I", position)
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + data.ljust(4, b"\0")
    out[4:8] = struct.pack(order + "I", len(out))
    return bytes(out + struct.pack(order + "H", len(entries) // 12) + entries + bytes(4))


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpegs(rgb):
    large = rgb.resize((37, 29), Image.BICUBIC)
    cmyk = saved(large.convert("CMYK"), "jpeg")
    adobe = cmyk.index(b"Adobe")
    exif = Image.Exif()
    exif[0x0112] = 6
    end = saved(large, "jpeg")[:-2]
    return {
        "gray.jpg": saved(large.convert("L"), "jpeg"),
        "yuv420.jpg": saved(large, "jpeg", subsampling=2),
        "yuv422_restart.jpg": saved(large, "jpeg", subsampling=1, restart_marker_blocks=2),
        "yuv444_progressive.jpg": saved(large, "jpeg", subsampling=0, progressive=True),
        "rgb.jpg": saved(large, "jpeg", keep_rgb=True),
        "cmyk.jpg": cmyk,
        "ycck.jpg": cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :],
        "cmyk_without_adobe.jpg": cmyk[: adobe - 4] + cmyk[adobe + 12 :],
        "orientation6.jpg": saved(large, "jpeg", exif=exif),
        "bytes_before_end.jpg": end + b"\1\2\3" + b"\xff\xd9",
    }


def pngs(rgb, alpha):
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    files = {f"gray{bits}.png": png(0, bits, packed_rows(bits)) for bits in (1, 2, 4, 8, 16)}
    for bits in (1, 2, 4, 8):
        palette = (b"PLTE", noise(3 * 2**bits).tobytes())
        transparency = (b"tRNS", noise(2**bits // 2).tobytes())
        files[f"palette{bits}.png"] = png(3, bits, packed_rows(bits), [palette])
        files[f"palette{bits}_transparent.png"] = png(3, bits, packed_rows(bits), [palette, transparency])
    for name, color_type, channels in (("gray_alpha", 4, 2), ("rgb", 2, 3), ("rgba", 6, 4)):
        for bits in (8, 16):
            rows = [noise(W * channels * bits // 8).tobytes() for _ in range(H)]
            files[f"{name}{bits}.png"] = png(color_type, bits, rows)
    files["rgb8_transparent.png"] = png(2, 8, [noise(W * 3).tobytes() for _ in range(H)], [(b"tRNS", bytes(6))])
    files["gray8_gamma.png"] = png(0, 8, packed_rows(8), [(b"gAMA", struct.pack(">I", 100000)), (b"sBIT", b"\5")])
    files["text.png"] = png(0, 8, packed_rows(8), [(b"zTXt", b"k\0\0" + zlib.compress(bytes(1000)))])
    files["rgba_pillow.png"] = saved(rgba, "png")
    files["rgb8_interlaced.png"] = png(2, 8, seven_passes(np.asarray(rgb)), interlaced=True)
    return files


def bmps(rgb):
    palette = lambda colors: b"".join(noise(3).tobytes() + b"\0" for _ in range(colors))
    rows = lambda values: [noise(W * values).tobytes() for _ in range(H)]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    files = {f"palette{bits}.bmp": bmp(bits, packed_rows(bits), palette(2**bits)) for bits in (1, 4, 8)}
    files |= {
        "palette_short.bmp": bmp(8, packed_rows(8, 50), palette(50)),
        "gray8.bmp": saved(rgb.convert("L"), "bmp"),
        "bits24.bmp": bmp(24, rows(3)),
        "bits24_top_down.bmp": bmp(24, rows(3), height=-H),
        "bits32.bmp": bmp(32, rows(4)),
        "bits32_masks.bmp": bmp(32, rows(4), compression=3, masks=masks[:12]),
        "bits32_v5.bmp": bmp(32, rows(4), compression=3, masks=masks, header=124),
        "bits16.bmp": bmp(16, rows(2)),
        "os2.bmp": bmp(24, rows(3), header=12),
        "run_lengths.bmp": bmp(8, None, palette(256), 1, data=bytes([W, 5, 0, 0]) * H + b"\0\1"),
        "masks_rgb.bmp": bmp(32, rows(4), compression=3, masks=struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)),
    }
    return files


def webps(rgb, alpha):
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    smooth = rgb.resize((3, 3)).resize((37, 29), Image.BICUBIC)
    return {
        "lossy.webp": saved(smooth, "webp", quality=80),
        "lossless.webp": saved(rgb, "webp", lossless=True),
        "lossy_alpha.webp": saved(rgba, "webp", quality=80),
        "lossless_alpha.webp": saved(rgba, "webp", lossless=True, exact=True),
        "animation.webp": saved(rgb, "webp", save_all=True, append_images=[rgb.rotate(180)], duration=100),
    }


def pnms(rgb):
    gray = rgb.convert("L")
    values = " ".join(str(v) for v in np.asarray(rgb).ravel())
    bits = "".join(str(v) for v in random.integers(0, 2, W * H))
    return {
        "rgb.ppm": saved(rgb, "ppm"),
        "gray.pgm": saved(gray, "ppm"),
        "bits.pbm": saved(gray.convert("1"), "ppm"),
        "plain.ppm": f"P3 # a comment\n{W} {H}\n255\n{values}\n".encode(),
        "plain_bits.pbm": f"P1\n{W} {H}\n{bits}".encode(),
        "largest100.pgm": f"P5 {W} {H} 100\n".encode() + random.integers(0, 101, W * H, dtype=np.uint8).tobytes(),
        "largest65535.ppm": f"P6 {W} {H} 65535\n".encode() + noise(W * H * 6).tobytes(),
        "gray16.pgm": f"P5 {W} {H} 65535\n".encode() + noise(W * H * 2).tobytes(),
    }


def tiffs(rgb):
    colors = [int(v) for v in random.integers(0, 65536, 3 * 256)]
    rows = lambda row_bytes: [noise(row_bytes).tobytes() for _ in range(H)]
    large = Image.fromarray(noise(40, 60)).resize((90, 60), Image.BICUBIC)
    files = {f"{order}{bits}_{p}.tif": tiff(o, bits, 1, p, packed_rows(bits))
             for order, o in (("little", "<"), ("big", ">")) for bits in (1, 4, 8) for p in (0, 1)}
    files |= {
        "gray16.tif": tiff("<", 16, 1, 1, rows(W * 2)),
        "gray16_big_endian.tif": tiff(">", 16, 1, 1, rows(W * 2)),
        "palette8.tif": tiff("<", 8, 1, 3, rows(W), more=[(320, 3, colors)]),
        "palette2.tif": tiff(">", 2, 1, 3, packed_rows(2), more=[(320, 3, colors[:12])]),
        "rgb8_strips.tif": tiff("<", 8, 3, 2, rows(W * 3), rows_per_strip=2),
        "rgb16_differences.tif": tiff(">", 16, 3, 2, rows(W * 6), 8, 4, more=[(317, 3, [2])]),
        "rgb8_differences.tif": tiff("<", 8, 3, 2, rows(W * 3), 32946, more=[(317, 3, [2])]),
        "rgba8.tif": tiff("<", 8, 4, 2, rows(W * 4), more=[(338, 3, [2])]),
        "lzw.tif": saved(large, "tiff", compression="tiff_lzw"),
        "packbits.tif": saved(rgb.quantize(3).convert("RGB"), "tiff", compression="packbits"),
        "cmyk.tif": saved(rgb.convert("CMYK"), "tiff"),
        "float.tif": saved(rgb.convert("F"), "tiff"),
        "group4.tif": saved(rgb.convert("1"), "tiff", compression="group4"),
        "orientation6.tif": tiff("<", 8, 3, 2, rows(W * 3), more=[(274, 3, [6])]),
    }
    return files


def main():
    rgb, alpha = Image.fromarray(noise(H, W, 3)), Image.fromarray(noise(H, W))
    files = jpegs(rgb) | pngs(rgb, alpha) | bmps(rgb) | webps(rgb, alpha) | pnms(rgb) | tiffs(rgb)
    files["first_frame.gif"] = saved(rgb, "gif")
    lines = ["file\tcolor_mode\tdtype\theight\twidth\tsha256"]
    for name, data in sorted(files.items()):
        (HERE / name).write_bytes(data)
        if name in REFUSED:
            lines.append(f"{name}\t-\t-\t-\t-\t{REFUSED[name]}")
            continue
        for color in ("rgb", "grayscale"):
            pixels = np.asarray(keras.utils.load_img(io.BytesIO(data), color_mode=color))
            pixels = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<")))
            digest = hashlib.sha256(pixels.tobytes()).hexdigest()
            lines.append(f"{name}\t{color}\t{pixels.dtype.name}\t{pixels.shape[0]}\t{pixels.shape[1]}\t{digest}")
    (HERE / "expected.tsv").write_text("\n".join(lines) + "\n")
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes, {len(lines) - 1} lines")


if __name__ == "__main__":
    main()
