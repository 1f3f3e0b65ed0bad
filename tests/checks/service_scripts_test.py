"""start.sh and stop.sh signal only what they started, and say what is wrong."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServiceScripts(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.pid_file = self.folder / "musetalkd.pid"
        self.program = self.folder / "musetalkd"

    def script(self, name, *arguments, **environment):
        return subprocess.run([ROOT / "scripts" / name, *arguments], text=True, capture_output=True, timeout=50,
                              env=os.environ | {
                                  "RUN_DIR": str(self.folder), "SERVER_BIN": str(self.program),
                                  "ENV_FILE": str(self.folder / "none"), "STOP_TIMEOUT_S": "20",
                                  "MUSETALKD_LISTEN": f"127.0.0.1:{free_port()}"} | environment)

    def run_as(self, program, *arguments):
        """A process of this program, ended after the test."""
        process = subprocess.Popen([program, *arguments])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_stop_leaves_a_foreign_process_alone(self):
        shutil.copy("/usr/bin/sleep", self.program)
        foreign = self.run_as("/usr/bin/sleep", "100")
        self.pid_file.write_text(f"{foreign.pid}\n")
        answer = self.script("stop.sh")
        self.assertEqual((answer.returncode, answer.stdout), (0, "musetalkd does not run\n"))
        self.assertIsNone(foreign.poll())

    def test_stop_takes_no_other_text_for_a_pid(self):
        shutil.copy("/usr/bin/sleep", self.program)
        for text in ("", "-1", "0", "1; true", "../self"):
            self.pid_file.write_text(text)
            self.assertEqual(self.script("stop.sh").stdout, "musetalkd does not run\n", text)

    def test_stop_ends_our_process_by_sigterm(self):
        shutil.copy("/usr/bin/sleep", self.program)
        ours = self.run_as(self.program, "100")
        self.pid_file.write_text(f"{ours.pid}\n")
        answer = self.script("stop.sh")
        self.assertEqual((answer.returncode, answer.stdout), (0, "musetalkd has stopped\n"), answer.stderr)
        self.assertEqual(ours.wait(), -signal.SIGTERM)
        self.assertFalse(self.pid_file.exists())

    def test_stop_knows_our_process_after_a_rebuild(self):
        shutil.copy("/usr/bin/sleep", self.program)
        ours = self.run_as(self.program, "100")
        self.pid_file.write_text(f"{ours.pid}\n")
        self.program.unlink()
        shutil.copy("/usr/bin/sleep", self.program)
        self.assertEqual(self.script("stop.sh").stdout, "musetalkd has stopped\n")
        self.assertEqual(ours.wait(), -signal.SIGTERM)

    def test_stop_gives_up_after_its_time_unless_forced(self):
        # A shell that ignores SIGTERM stands for a server that hangs.
        shutil.copy(shutil.which("dash"), self.program)
        ours = subprocess.Popen([self.program, "-c", "trap '' TERM; echo ready; read line; :"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(ours.stdout.close)
        self.addCleanup(ours.stdin.close)
        self.addCleanup(ours.wait)
        self.addCleanup(ours.kill)
        ours.stdout.readline()
        self.pid_file.write_text(f"{ours.pid}\n")
        answer = self.script("stop.sh", STOP_TIMEOUT_S="1")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("has not stopped in 1 s", answer.stderr)
        self.assertIsNone(ours.poll())
        self.assertEqual(self.script("stop.sh", "--kill", STOP_TIMEOUT_S="1").stdout, "musetalkd has stopped\n")
        self.assertEqual(ours.wait(), -signal.SIGKILL)

    def test_start_says_what_is_missing(self):
        answer = self.script("start.sh")
        self.assertEqual(answer.returncode, 1)
        self.assertIn(f"there is no {self.program}", answer.stderr)

    def test_start_shows_the_log_of_a_program_that_ends_at_once(self):
        self.program.write_text("#!/bin/sh\necho wrong setting: QUEUE\nexit 2\n")
        self.program.chmod(0o755)
        answer = self.script("start.sh")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("wrong setting: QUEUE", answer.stderr)
        self.assertFalse(self.pid_file.exists())

    def test_start_refuses_a_port_where_another_server_answers(self):
        shutil.copy("/usr/bin/sleep", self.program)
        (self.folder / "livez").write_text("ok")
        server = subprocess.Popen(["/usr/bin/python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1",
                                   "--directory", self.folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        port = server.stdout.readline().split("port ")[1].split()[0]
        answer = self.script("start.sh", MUSETALKD_LISTEN=f"127.0.0.1:{port}")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("another server answers", answer.stderr)


if __name__ == "__main__":
    unittest.main()
