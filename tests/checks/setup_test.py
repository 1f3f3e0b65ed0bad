"""setup.sh works without network when everything is there, and notices what is damaged or missing."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPS = ROOT / ".deps"
OFFLINE = {name: "http://127.0.0.1:1" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}


class Setup(unittest.TestCase):
    def setup_script(self, **environment):
        base = {key: value for key, value in os.environ.items() if key != "LIBTORCH_ROOT"}
        return subprocess.run([ROOT / "scripts/setup.sh"], text=True, capture_output=True, timeout=50,
                              env=base | OFFLINE | environment)

    def own_deps(self):
        """A copy of .deps/ to damage; LibTorch only as a link."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        for name in ("models", "media"):
            shutil.copytree(DEPS / name, folder / name)
        if (DEPS / "libtorch").exists():
            (folder / "libtorch").symlink_to(DEPS / "libtorch")
        return folder

    def libtorch(self):
        """The environment that makes the LibTorch of this machine count as there."""
        return {} if (DEPS / "libtorch").exists() else {"LIBTORCH_ROOT": os.environ["LIBTORCH_ROOT"]}

    def test_needs_no_network_when_everything_is_there(self):
        answer = self.setup_script(**self.libtorch())
        self.assertEqual((answer.returncode, answer.stdout), (0, "set-up: everything is there\n"), answer.stderr)

    def test_notices_a_damaged_face_network(self):
        deps = self.own_deps()
        network = deps / "models/face/face_landmark.onnx"
        data = bytearray(network.read_bytes())
        data[len(data) // 2] ^= 1
        network.write_bytes(data)
        answer = self.setup_script(DEPS_DIR=str(deps), PIP_RETRIES="0", **self.libtorch())
        self.assertEqual(answer.returncode, 1)
        self.assertIn("face networks", answer.stderr)
        self.assertIn("no network? check the connection", answer.stderr)
        self.assertNotIn("LibTorch", answer.stdout + answer.stderr)

    def test_refuses_a_libtorch_root_without_libtorch(self):
        answer = self.setup_script(LIBTORCH_ROOT="/usr/share")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("LIBTORCH_ROOT=/usr/share holds no lib/libtorch_cpu.so", answer.stderr)


if __name__ == "__main__":
    unittest.main()
