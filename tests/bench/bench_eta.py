#!/usr/bin/env python3
"""Compares the `eta_s` of real jobs with how long they then took: when they were accepted (they
queue, all at once) and in the middle of their frames. Prints JSON. Needs ffmpeg for its clips.

    tests/bench/bench_eta.py --jobs 12
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bench_cancel import FINAL, ROOT, Server, percentile  # noqa: E402


def make_clip(sample, folder, frames, width):
    clip = folder / f"{frames}x{width}.mp4"
    if not clip.exists():
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", sample, "-vf",
                        f"fps=25,setsar=1,scale={width}:-2", "-frames:v", str(frames), "-an", "-c:v",
                        "libx264", "-preset", "ultrafast", clip], check=True)
    return clip.read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", default=str(ROOT / ".deps/media/carphone_pristine.mp4"))
    parser.add_argument("--server", default=str(ROOT / "build/bin/musetalkd"))
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--learn", type=int, default=4, help="jobs before, of which it learns")
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args()
    random.seed(wish.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        server = Server(wish.server, folder, False, "mediapipe")

        def submit(name):
            frames = random.choice([10, 20, 30, 50, 80])
            width = random.choice([176, 352, 704])
            return server.upload(name, make_clip(wish.sample, folder, frames, width))

        for number in range(wish.learn):
            job = submit(f"learn{number}")
            while server.job(job)["status"] not in FINAL:
                time.sleep(0.1)
        begin = time.monotonic()
        jobs = {}
        for number in range(wish.jobs):
            job = submit(f"job{number}")
            jobs[job] = {"accepted": time.monotonic(), "eta": server.job(job)["eta_s"], "middle": None}
        open_jobs = set(jobs)
        while open_jobs:
            for job in sorted(open_jobs):
                now = server.job(job)
                known = jobs[job]
                if now["status"] in FINAL:
                    known["ended"] = time.monotonic()
                    known["status"] = now["status"]
                    open_jobs.remove(job)
                elif known["middle"] is None and now["fraction"] >= 0.45 and now["eta_s"] is not None:
                    known["middle"] = (time.monotonic(), now["eta_s"])
            time.sleep(0.02)
        wall = time.monotonic() - begin
        server.stop()
    accepted, middle, rows = [], [], []
    for known in jobs.values():
        real = known["ended"] - known["accepted"]
        row = {"status": known["status"], "eta_s": known["eta"], "real_s": round(real, 2)}
        if known["eta"]:
            accepted.append(abs(known["eta"] - real) / real)
        if known["middle"]:
            at, eta = known["middle"]
            middle.append(abs(eta - (known["ended"] - at)))
            row["middle_eta_s"] = eta
            row["middle_real_s"] = round(known["ended"] - at, 2)
        rows.append(row)
    print(json.dumps({
        "bench": "eta",
        "jobs": rows,
        "wall_s": round(wall, 1),
        "when_accepted": {"median_error": round(percentile(accepted, .5), 3),
                          "worst_error": round(max(accepted), 3)} if accepted else None,
        "in_the_middle": {"median_error_s": round(percentile(middle, .5), 2),
                          "worst_error_s": round(max(middle), 2)} if middle else None,
        "load": os.getloadavg()[0],
    }, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
