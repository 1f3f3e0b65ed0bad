"""A server with folders of its own, for tests that look at it as people and collectors do."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_S = 60


class Server:
    """`musetalkd` on a free port; `start` again after `stop` takes the same one."""

    def __init__(self, program, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="musetalkd-console-"))
        self.program = program
        self.port = 0
        self.settings = {
            "AVATARS_DIR": str(self.folder / "avatars"),
            "MUSETALKD_WEIGHTS": "synthetic",
            "MUSETALKD_DEVICE": "cpu",
            "MUSETALKD_FACE_MODELS_DIR": str(ROOT / ".deps/models/face"),
            "OMP_WAIT_POLICY": "PASSIVE",
            **settings,
        }
        self.process = None

    def start(self):
        environment = {"PATH": os.environ["PATH"], **self.settings, "MUSETALKD_LISTEN": f"127.0.0.1:{self.port}"}
        log = self.folder / "log"
        with open(log, "w") as output:
            self.process = subprocess.Popen([self.program], cwd=self.folder, env=environment,
                                            stdout=output, stderr=subprocess.STDOUT)
        # The log grows until it listens; a pipe would fill.
        with open(log) as lines:
            text = ""
            while not (found := re.search(r"listens at http://127\.0\.0\.1:(\d+)", text)):
                if self.process.poll() is not None:
                    raise RuntimeError("musetalkd ended: " + log.read_text())
                text += lines.read()
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def head_of(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return answer.headers

    def text(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return answer.read().decode()

    def upload(self, avatar_id, video, tutor_id="", wait=0):
        """Sends a video as a form, whose job does all of the work again; returns the answer."""
        bound = "----musetalkd-test"
        fields = {"avatar_id": avatar_id, "tutor_id": tutor_id} if tutor_id else {"avatar_id": avatar_id}
        body = b"".join(f'--{bound}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
                        for k, v in fields.items())
        body += (f'--{bound}\r\nContent-Disposition: form-data; name="video_file"; filename="clip.mp4"\r\n'
                 "Content-Type: video/mp4\r\n\r\n").encode()
        body += pathlib.Path(video).read_bytes() + f"\r\n--{bound}--\r\n".encode()
        request = urllib.request.Request(f"{self.url}/mgmt/v1/avatars/upload?wait={wait}&force=true", data=body, method="POST",
                                         headers={"Content-Type": f"multipart/form-data; boundary={bound}"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)
