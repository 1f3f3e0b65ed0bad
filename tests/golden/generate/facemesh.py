#!/usr/bin/env python3
"""Official FaceMesh results for the first frames of a video.

    facemesh.py VIDEO OUT_DIR [FRAMES]

Writes frame_NNN.png (what was decoded) and points.json: per frame null, or 468 x 2 pixels, flat.
Needs mediapipe==0.10.14 (PyPI).
"""
import json
import os
import sys

import cv2
import mediapipe as mp


def main():
    video, out = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 30
    os.makedirs(out, exist_ok=True)
    capture, frames = cv2.VideoCapture(video), []
    with mp.solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=1,
                                         refine_landmarks=False) as mesh:
        while len(frames) < count:
            ok, picture = capture.read()
            if not ok:
                break
            height, width = picture.shape[:2]
            cv2.imwrite(os.path.join(out, 'frame_%03d.png' % len(frames)), picture,
                        [cv2.IMWRITE_PNG_COMPRESSION, 9])
            found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
            frames.append([round(v, 3) for p in found[0].landmark for v in (p.x * width, p.y * height)]
                          if found else None)
    with open(os.path.join(out, 'points.json'), 'w') as f:
        json.dump({'source': 'mediapipe ' + mp.__version__, 'frames': frames}, f,
                  separators=(',', ':'))


main()
