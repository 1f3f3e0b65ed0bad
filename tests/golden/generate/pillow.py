#!/usr/bin/env python3
"""Resized pictures by Pillow and v1.5 masks by Pillow and OpenCV, into tests/golden/pillow.

    pillow.py OUT_DIR

Needs Pillow==10.4.0, numpy, opencv-python-headless (PyPI).
"""
import json
import os
import sys

import cv2
import numpy as np
from PIL import Image

OUT = sys.argv[1]
FILTERS = {'bilinear': Image.BILINEAR, 'bicubic': Image.BICUBIC}
# (filter, width, height): up, down, one axis kept, a single row, far down
SIZES = [('bilinear', 80, 61), ('bilinear', 17, 13), ('bilinear', 37, 50), ('bicubic', 91, 70),
         ('bicubic', 16, 29), ('bicubic', 5, 1), ('bicubic', 37, 29)]
# (face box, frame): inside, over two edges, over the right edge, small, larger than its source
MASKS = [((61, 0, 277, 318), (640, 480)), ((230, 100, 345, 250), (320, 256)),
         ((300, 40, 402, 158), (360, 240)), ((20, 30, 69, 95), (176, 144)),
         ((100, 60, 500, 640), (1280, 720)), ((-30, 20, 90, 170), (320, 240))]


def path(name):
    return os.path.join(OUT, name)


def noise(shape, rng):
    """Rough and smooth parts, black and white included."""
    picture = rng.integers(0, 256, shape, dtype=np.uint8)
    picture[: shape[0] // 3] = np.where(picture[: shape[0] // 3] > 127, 255, 0)
    picture[-shape[0] // 4:] = np.linspace(0, 255, shape[1]).astype(np.uint8).reshape(
        (1, -1) + (1,) * (len(shape) - 2))
    return picture


def resizes(rng):
    for mode, shape in (('L', (29, 37)), ('RGB', (29, 37, 3))):
        source = Image.fromarray(noise(shape, rng), mode)
        source.save(path('source_%s.png' % mode))
        for name, width, height in SIZES:
            source.resize((width, height), FILTERS[name]).save(
                path('%s_%s_%dx%d.png' % (mode, name, width, height)))


def class_map(rng):
    """A face as a parsing network sees one: skin with holes, nose, lips, neck, ragged edges."""
    m = np.zeros((512, 512), np.uint8)
    cv2.rectangle(m, (190, 380), (330, 511), 14, -1)
    cv2.ellipse(m, (258, 262), (150, 190), 4, 0, 360, 1, -1)
    cv2.ellipse(m, (256, 60), (170, 70), 0, 0, 360, 17, -1)
    for x in (195, 320):
        cv2.ellipse(m, (x, 215), (28, 12), 0, 0, 360, 4, -1)
    cv2.fillPoly(m, [np.array([[250, 220], [265, 220], [295, 310], [258, 325], [222, 310]])], 10)
    cv2.ellipse(m, (258, 370), (60, 24), 0, 0, 360, 12, -1)
    cv2.ellipse(m, (258, 376), (56, 20), 0, 0, 180, 13, -1)
    cv2.ellipse(m, (258, 371), (40, 7), 0, 0, 360, 11, -1)
    for x, y in rng.integers(0, 512, (60, 2)):  # stray skin, also at the borders
        cv2.circle(m, (int(x), int(y)), int(rng.integers(1, 6)), 1, -1)
    m[0:3, 100:140] = 1
    m[508:512, 300:420] = 1
    m[200:260, 0:4] = 1
    return m


def jaw_elements():
    grow = np.zeros((33, 33), np.uint8)
    for row in range(10, 33):
        half = min(row - 10, 10)
        grow[row, 16 - half:16 + half + 1] = 1
    assert grow.sum() == 373
    flat = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (35, 3))
    assert flat.sum(1).tolist() == [1, 35, 1]
    return grow, flat


def jaw(classes):
    grow, flat = jaw_elements()
    skin = (classes == 1).astype(np.uint8) * 255
    grown = cv2.dilate(skin, grow, iterations=1)
    shrunk = cv2.erode(grown, flat, iterations=2)
    cheeks = np.zeros((512, 512), np.uint8)
    cheeks[:, :256 - 90 + 1] = 255
    cheeks[:, 256 + 90:] = 255
    region = (shrunk & cheeks) | (grown & ~cheeks)
    result = np.where((region == 255) & (classes != 10), 255, 0)
    result[np.isin(classes, [11, 12, 13])] = 255
    return result.astype(np.uint8)


def mask(parsing, face_box, frame):
    """The mask cut to the frame, and where it lies."""
    x, y, x1, y1 = face_box
    s = int(max(x1 - x, y1 - y) // 2 * 1.5)
    left, top = (x + x1) // 2 - s, (y + y1) // 2 - s
    whole = Image.fromarray(parsing, 'L').resize((2 * s, 2 * s))
    inner = (x - left, y - top, x1 - left, y1 - top)
    kept = Image.new('L', whole.size, 0)
    kept.paste(whole.crop(inner), inner)
    rows = np.array(kept)
    rows[: int(2 * s * 0.5)] = 0
    k = int(0.1 * 2 * s // 2 * 2) + 1
    soft = cv2.GaussianBlur(rows, (k, k), 0)
    place = [max(left, 0), max(top, 0), min(left + 2 * s, frame[0]), min(top + 2 * s, frame[1])]
    cut = soft[place[1] - top:place[3] - top, place[0] - left:place[2] - left]
    return cut, place, [left, top, left + 2 * s, top + 2 * s]


def main():
    os.makedirs(OUT, exist_ok=True)
    rng = np.random.default_rng(7)
    resizes(rng)
    classes = class_map(rng)
    Image.fromarray(classes, 'L').save(path('classes.png'), optimize=True)
    parsing = jaw(classes)
    Image.fromarray(parsing, 'L').save(path('jaw.png'), optimize=True)
    cases = []
    for i, (face_box, frame) in enumerate(MASKS):
        cut, place, crop_box = mask(parsing, face_box, frame)
        Image.fromarray(cut, 'L').save(path('mask_%d.png' % i), optimize=True)
        cases.append({'face_box': face_box, 'frame': frame, 'crop_box': crop_box, 'place': place})
    import PIL
    with open(path('masks.json'), 'w') as f:
        json.dump({'source': 'Pillow %s, OpenCV %s' % (PIL.__version__, cv2.__version__),
                   'masks': cases}, f, indent=1)
        f.write('\n')


main()
