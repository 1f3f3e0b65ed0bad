#!/usr/bin/env python3
"""Cancels real jobs of a built server at random times and says how long it takes until they are
cancelled, by the stage they were in. Prints JSON. Needs nothing but Python and build/bin/musetalkd.

    tests/bench/bench_cancel.py --rounds 60 --clip talk.mp4          # synthetic networks
    tests/bench/bench_cancel.py --rounds 60 --clip talk.mp4 --mock
"""

import argparse
import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FINAL = ("completed", "failed", "cancelled")


class Server:
    """A server with folders of its own, on a free port."""

    def __init__(self, program, folder, mock, backend):
        settings = {
            "PATH": os.environ["PATH"],
            "AVATARS_DIR": str(folder / "avatars"),
            "MUSETALK_BASE": str(folder / "MuseTalk"),
            "MUSETALKD_FACE_MODELS_DIR": str(ROOT / ".deps/models/face"),
            "MUSETALKD_WEIGHTS": "synthetic",
            "MUSETALKD_FACE_BACKEND": backend,
            "MUSETALKD_KEEP_FAILED_SECONDS": "0",
            "ENABLE_AVATAR": "false" if mock else "true",
        }
        self.avatars = folder / "avatars"
        self.log = open(folder / "log", "w+b")
        self.process = subprocess.Popen(
            [program, "--listen", "127.0.0.1:0"], env=settings, cwd=folder,
            stdout=self.log, stderr=subprocess.STDOUT)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port(), timeout=120)
        while self.get("/readyz")[0] != 200:
            time.sleep(0.1)

    def port(self):
        for _ in range(600):
            found = re.search(rb"listens at http://127\.0\.0\.1:(\d+)", Path(self.log.name).read_bytes())
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit("the server did not start:\n" + Path(self.log.name).read_text())

    def call(self, method, path, body=None, headers={}):
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def get(self, path):
        return self.call("GET", path)

    def upload(self, avatar_id, clip):
        edge = uuid.uuid4().hex
        # An empty box at its end: no two are the same work.
        clip += b"\0\0\0\x18free" + uuid.uuid4().bytes
        head = (f'--{edge}\r\nContent-Disposition: form-data; name="avatar_id"\r\n\r\n{avatar_id}\r\n'
                f'--{edge}\r\nContent-Disposition: form-data; name="video_file"; filename="a.mp4"'
                "\r\n\r\n").encode()
        status, answer = self.call("POST", "/mgmt/v1/avatars/upload",
                                   head + clip + f"\r\n--{edge}--\r\n".encode(),
                                   {"Content-Type": f"multipart/form-data; boundary={edge}"})
        if status != 202:
            sys.exit(f"an upload was refused: {answer}")
        return answer["job_id"]

    def job(self, job_id):
        return self.get("/mgmt/v1/jobs/" + job_id)[1]

    def leftovers(self):
        return [str(x) for name in (".staging", ".uploads") for x in (self.avatars / name).iterdir()]

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


def seconds_of(text):
    day, clock = text.rstrip("Z").split("T")
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def percentile(values, share):
    values = sorted(values)
    return values[min(int(share * len(values)), len(values) - 1)]


def await_stage(server, job_id, stage):
    """Waits until the job is in a stage, or beyond."""
    order = ["validate", "convert", "prepare", "verify", "publish", "link"]
    while True:
        job = server.job(job_id)
        if job["status"] in FINAL:
            return job
        if job["stage"] and order.index(job["stage"]) >= order.index(stage):
            return job


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=ROOT / ".deps/media/carphone_pristine.mp4")
    parser.add_argument("--server", default=str(ROOT / "build/bin/musetalkd"))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--mock", action="store_true")
    parser.add_argument("--backend", default="mediapipe")
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args()
    random.seed(wish.seed)
    clip = wish.clip.read_bytes()
    main_stage = "convert" if wish.mock else "prepare"
    with tempfile.TemporaryDirectory() as folder:
        server = Server(wish.server, Path(folder), wish.mock, wish.backend)
        # One job to its end: how long the stages are.
        first = server.upload("whole", clip)
        whole = await_stage(server, first, "publish")
        while whole["status"] not in FINAL:
            whole = server.job(first)
        stages = {x: whole["timings_ms"].get(x, 0) / 1000
                  for x in ("validate", main_stage, "verify", "publish")}
        took = {}
        gaps = []
        ended = {}
        current = server.upload("a0", clip)
        for number in range(1, wish.rounds + 1):
            waiting = server.upload(f"a{number}", clip)
            # Every stage has its turn; the long one more often.
            target = random.choice(["validate", main_stage, main_stage, "verify", "publish"])
            await_stage(server, current, target)
            time.sleep(random.uniform(0, stages[target]))
            before = server.job(current)
            stage = before["stage"] or before["status"]
            begin = time.monotonic()
            server.call("POST", f"/mgmt/v1/jobs/{current}/cancel")
            job = server.job(current)
            while job["status"] not in FINAL:
                job = server.job(current)
            ended.setdefault(stage, []).append(job["status"])
            if job["status"] == "cancelled":
                took.setdefault(stage, []).append((time.monotonic() - begin) * 1000)
            following = server.job(waiting)
            while not following["started_at"]:
                following = server.job(waiting)
            gaps.append((seconds_of(following["started_at"]) - seconds_of(job["finished_at"])) * 1000)
            current = waiting
        server.call("POST", f"/mgmt/v1/jobs/{current}/cancel")
        while server.job(current)["status"] not in FINAL:
            pass
        deadline = time.monotonic() + 10
        while server.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        left = server.leftovers()
        code = server.stop()
    everything = [x for values in took.values() for x in values]
    print(json.dumps({
        "bench": "cancel",
        "mode": "mock" if wish.mock else wish.backend,
        "clip": wish.clip.name,
        "stages_s": stages,
        "cancelled_ms": {stage: {"count": len(x), "p50": round(percentile(x, .5), 1),
                                 "p99": round(percentile(x, .99), 1), "max": round(max(x), 1)}
                         for stage, x in sorted(took.items())},
        "all_ms": {"count": len(everything), "p50": round(percentile(everything, .5), 1),
                   "p99": round(percentile(everything, .99), 1)} if everything else None,
        "ended": {stage: {x: states.count(x) for x in sorted(set(states))}
                  for stage, states in sorted(ended.items())},
        "next_job_after_ms": {"p50": round(percentile(gaps, .5), 1), "max": round(max(gaps), 1)},
        "left_on_disk": left,
        "server_exit": code,
        "load": os.getloadavg()[0],
    }, indent=1))
    return 1 if left or code else 0


if __name__ == "__main__":
    sys.exit(main())
