"""Opens an avatar folder as MuseTalk and LiveTalking do, with Python's own readers.

    python verify_folder.py AVATAR_FOLDER

Needs torch (the CPU part is enough). Prints one line per problem and ends with 1, or `OK` and the counts.
"""
import glob
import hashlib
import json
import os
import pickle
import struct
import sys
import zipfile


def read_png_head(path):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR", "no PNG"
    assert data.endswith(b"IEND\xaeB`\x82"), "no end mark"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    return width, height, (depth, colour)


class Boxes(pickle.Unpickler):
    """A list of boxes refers to no class or function at all."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"refers to {module}.{name}")


def read_boxes(path):
    with open(path, "rb") as file:
        boxes = Boxes(file).load()
        assert not file.read(), "bytes behind the pickle"
    with open(path, "rb") as file:
        head = file.read(2)
    assert head[0] == 0x80 and head[1] <= 4, "pickle protocol above 4"
    assert type(boxes) is list, "no list"
    for box in boxes:
        assert type(box) is list and len(box) == 4 and all(type(x) is int for x in box), f"{box} is no box"
    return boxes


def read_latents(path):
    import torch

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, "wrong checksum"
        assert all(x.compress_type == zipfile.ZIP_STORED for x in archive.infolist()), "compressed"
        assert {x.split("/")[0] for x in archive.namelist()} == {"latents"}, "top folder"
        assert b"cuda:0" in archive.read("latents/data.pkl"), "not tagged cuda:0"
    loaded = [torch.load(path, map_location="cpu", weights_only=flag) for flag in (True, False)]
    for latents in loaded:
        assert type(latents) is list, "no list"
        for number, x in enumerate(latents):
            assert isinstance(x, torch.Tensor) and not x.requires_grad, f"entry {number}"
            assert tuple(x.shape) == (1, 8, 32, 32) and x.dtype == torch.float16, f"entry {number}: {x.shape} {x.dtype}"
            assert x.is_contiguous() and bool(torch.isfinite(x.float()).all()), f"entry {number}"
    assert all(torch.equal(a, b) for a, b in zip(*loaded, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(loaded[0], reversed(loaded[0]), strict=True)), "no palindrome"
    torch.cat(loaded[0][:20], dim=0)  # what the loop of both programs does with a batch
    return loaded[0]


def list_images(folder):
    # both programs glob and sort like this
    found = glob.glob(os.path.join(glob.escape(folder), "*.[jpJP][pnPN]*[gG]"))
    found.sort(key=lambda path: int(os.path.splitext(os.path.basename(path))[0]))
    assert [os.path.basename(path) for path in found] == [f"{i:08d}.png" for i in range(len(found))], "names"
    assert len(os.listdir(folder)) == len(found), "other files"
    return found


def check_manifest(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        files = json.load(file)["files"]
    there = {os.path.relpath(os.path.join(base, name), folder) for base, _, names in os.walk(folder) for name in names}
    assert there == set(files) | {"manifest.json"}, f"{sorted(there ^ set(files))[:5]}"
    for name, listed in files.items():
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        assert len(data) == listed["bytes"] and hashlib.sha256(data).hexdigest() == listed["sha256"], name


def check_info(folder):
    with open(os.path.join(folder, "avator_info.json"), encoding="utf-8") as file:
        text = file.read()
    info = json.loads(text)
    assert text == json.dumps(info), "not as json.dump writes it"
    assert list(info) == ["avatar_id", "video_path", "bbox_shift", "version"], "keys"
    assert info["bbox_shift"] == 0 and type(info["bbox_shift"]) is int and info["version"] == "v15", "values"


def check_shapes(folder, frames, masks, coords, mask_coords):
    width, height, kind = read_png_head(frames[0])
    for number, (frame, mask, face, crop) in enumerate(zip(frames, masks, coords, mask_coords, strict=True)):
        assert read_png_head(frame) == (width, height, (8, 2)), f"frame {number}"
        assert read_png_head(mask) == (crop[2] - crop[0], crop[3] - crop[1], (8, 0)), f"mask {number}"
        for name, (left, top, right, bottom) in (("face", face), ("crop", crop)):
            assert 0 <= left < right <= width and 0 <= top < bottom <= height, f"{name} box {number} leaves the frame"
        assert crop[0] <= face[0] and crop[1] <= face[1] and face[2] <= crop[2] and face[3] <= crop[3], \
            f"crop box {number} does not hold the face box"


def main(folder):
    problems = []

    def step(name, action, *args):
        try:
            return action(*args)
        except Exception as problem:  # whatever a reader throws is a problem of the folder
            problems.append(f"{name}: {type(problem).__name__}: {problem}")
            return []

    path = lambda name: os.path.join(folder, name)
    lists = {
        "latents.pt": step("latents.pt", read_latents, path("latents.pt")),
        "coords.pkl": step("coords.pkl", read_boxes, path("coords.pkl")),
        "mask_coords.pkl": step("mask_coords.pkl", read_boxes, path("mask_coords.pkl")),
        "full_imgs": step("full_imgs", list_images, path("full_imgs")),
        "mask": step("mask", list_images, path("mask")),
    }
    counts = {name: len(entries) for name, entries in lists.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        problems.append("the lists differ in length")
    elif not problems:
        step("pictures", check_shapes, folder, lists["full_imgs"], lists["mask"], lists["coords.pkl"],
             lists["mask_coords.pkl"])
    step("avator_info.json", check_info, folder)
    if os.path.exists(path("manifest.json")):
        step("manifest.json", check_manifest, folder)
    for problem in problems:
        print("PROBLEM", problem)
    print("NOT USABLE" if problems else "OK", counts)
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
