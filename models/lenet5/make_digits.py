"""Draws digits/0.png ... digits/9.png: 28 x 28 grey pictures, white strokes on black, as LeNet-5 takes them.

    python make_digits.py [--out digits]

The shapes are pen strokes written down below, so the pictures are ours and can be shipped. Every digit gets a
small slant and pen width of its own, is drawn large, scaled down, and put with its centre of mass in the centre,
within 20 x 20 pixels, as the MNIST digits are.
"""
import argparse
import math
import random
from pathlib import Path

from PIL import Image, ImageDraw

SIDE, BOX, ZOOM = 28, 20, 20  # pixels, pixels, drawn pixels per pixel

# Strokes of the pen: points from left to right and top to bottom in 0..1, joined by smooth curves. A point given
# twice is a corner.
STROKES = {
    0: [[(.62, .02), (.35, .08), (.18, .35), (.17, .68), (.36, .95), (.62, .95), (.83, .70), (.84, .34), (.70, .08),
         (.52, .02)]],
    1: [[(.38, .20), (.55, .02), (.55, .02), (.52, .50), (.49, .98)]],
    2: [[(.15, .26), (.26, .08), (.50, .02), (.74, .12), (.77, .34), (.58, .60), (.34, .80), (.14, .95), (.14, .95),
         (.50, .93), (.88, .95)]],
    3: [[(.20, .12), (.45, .02), (.72, .10), (.74, .32), (.46, .47), (.46, .47), (.74, .56), (.80, .78), (.58, .96),
         (.30, .96), (.14, .84)]],
    4: [[(.36, .04), (.24, .32), (.14, .58), (.14, .58), (.50, .60), (.88, .56)],
        [(.72, .14), (.66, .55), (.62, .98)]],
    5: [[(.80, .04), (.50, .05), (.28, .06), (.28, .06), (.24, .26), (.20, .46), (.20, .46), (.48, .40), (.76, .52),
         (.80, .76), (.58, .95), (.32, .97), (.14, .86)]],
    6: [[(.70, .02), (.44, .20), (.24, .52), (.24, .82), (.48, .98), (.74, .86), (.76, .62), (.54, .50), (.32, .62),
         (.25, .76)]],
    7: [[(.14, .10), (.50, .08), (.86, .06), (.86, .06), (.64, .42), (.50, .70), (.40, .98)]],
    8: [[(.74, .16), (.50, .02), (.26, .14), (.32, .36), (.56, .50), (.78, .70), (.70, .92), (.46, .98), (.24, .88),
         (.24, .68), (.48, .50), (.70, .34), (.74, .16)]],
    9: [[(.76, .24), (.62, .06), (.36, .06), (.22, .26), (.34, .46), (.60, .44), (.76, .24), (.76, .24), (.73, .60),
         (.64, .98)]],
}


def smooth(points, steps=24):
    """Points on the Catmull-Rom spline through the points."""
    curve = []
    for i in range(len(points) - 1):
        before, start, end, after = (points[max(i - 1, 0)], points[i], points[i + 1],
                                     points[min(i + 2, len(points) - 1)])
        for step in range(steps + 1):
            t = step / steps
            curve.append(tuple(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                                      + (3 * b - a - 3 * c + d) * t**3)
                               for a, b, c, d in zip(before, start, end, after)))
    return curve


def draw(digit: int, pen: random.Random) -> Image.Image:
    slant, tilt = pen.uniform(-0.02, 0.14), math.radians(pen.uniform(-4, 4))
    width = pen.uniform(2.2, 2.9) * ZOOM
    drawn_box = BOX * ZOOM - width
    canvas = Image.new("L", (SIDE * ZOOM, SIDE * ZOOM))
    brush = ImageDraw.Draw(canvas)
    for stroke in STROKES[digit]:
        for x, y in smooth(stroke):
            x, y = 0.8 * (x - 0.5) - slant * (y - 0.5), y - 0.5
            x, y = x * math.cos(tilt) - y * math.sin(tilt), x * math.sin(tilt) + y * math.cos(tilt)
            x, y = SIDE * ZOOM / 2 + x * drawn_box, SIDE * ZOOM / 2 + y * drawn_box
            brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    small = canvas.resize((SIDE, SIDE), Image.Resampling.BOX)
    return centred(small)


def centred(picture: Image.Image) -> Image.Image:
    """Moved by whole pixels so that the centre of mass is in the centre."""
    pixels = picture.tobytes()
    mass = sum(pixels)
    shift_x = round((SIDE - 1) / 2 - sum(value * (i % SIDE) for i, value in enumerate(pixels)) / mass)
    shift_y = round((SIDE - 1) / 2 - sum(value * (i // SIDE) for i, value in enumerate(pixels)) / mass)
    moved = Image.new("L", picture.size)
    moved.paste(picture, (shift_x, shift_y))
    return moved


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("digits"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for digit in STROKES:
        draw(digit, random.Random(digit)).save(arguments.out / f"{digit}.png", optimize=True)


if __name__ == "__main__":
    main()
