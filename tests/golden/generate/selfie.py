#!/usr/bin/env python3
"""Official person masks (MediaPipe selfie segmentation) of one picture, 8 bit.

    selfie.py PICTURE OUT_DIR

Writes person_general.png and person_landscape.png. Needs mediapipe==0.10.14 (PyPI).
"""
import os
import sys

import cv2
import mediapipe as mp
import numpy as np

picture = cv2.cvtColor(cv2.imread(sys.argv[1]), cv2.COLOR_BGR2RGB)
for selection, name in ((0, 'general'), (1, 'landscape')):
    with mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=selection) as net:
        mask = net.process(picture).segmentation_mask
    cv2.imwrite(os.path.join(sys.argv[2], 'person_%s.png' % name),
                np.round(mask * 255).astype(np.uint8))
