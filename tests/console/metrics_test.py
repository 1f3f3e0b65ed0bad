#!/usr/bin/env python3
"""The metrics of a running service, judged by Prometheus itself: metrics_test.py MUSETALKD"""
import json
import os
import re
import socket
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from server import PATIENCE_S, ROOT, Server

PROGRAM = sys.argv[1]
TOOLS = Path(os.environ.get("DEPS_DIR", ROOT / ".deps")) / "prometheus/usr/bin"
MONITORING = ROOT / "docs/monitoring"


def promtool(*arguments, text=None, folder=MONITORING):
    done = subprocess.run([TOOLS / "promtool", *arguments], input=text, text=True, cwd=folder, timeout=PATIENCE_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def free_port():
    with socket.socket() as x:
        x.bind(("127.0.0.1", 0))
        return x.getsockname()[1]


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM, ENABLE_AVATAR="false").start()
        cls.server.get("/mgmt/v1/jobs")
        cls.text = cls.server.text("/metrics")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_promtool_has_nothing_to_say(self):
        code, output = promtool("check", "metrics", text=self.text)
        self.assertEqual((code, output), (0, ""))

    def test_requests_are_counted(self):
        self.assertRegex(self.text, r'musetalkd_http_requests_total\{route="/mgmt/v1/jobs",method="GET",status="200"\} 1\n')

    def test_rules_and_their_tests_hold(self):
        code, output = promtool("check", "rules", "alerts.yml")
        self.assertEqual(code, 0, output)
        code, output = promtool("test", "rules", "alerts_test.yml")
        self.assertEqual(code, 0, output)

    def test_rules_and_dashboard_ask_for_metrics_that_there_are(self):
        known = set(re.findall(r"^# TYPE (\w+) ", self.text, re.MULTILINE))
        # What only a device makes.
        known |= {"musetalkd_device_execution_duration_seconds", "musetalkd_device_batch_size",
                  "musetalkd_device_failed_executions_total", "musetalkd_device_waiting_requests",
                  "musetalkd_job_stage_duration_seconds"}
        dashboard = json.loads((MONITORING / "grafana.json").read_text())
        asked = [x["expr"] for panel in dashboard["panels"] for x in panel.get("targets", [])]
        asked += re.findall(r"expr: (.*)", (MONITORING / "alerts.yml").read_text())
        self.assertGreater(len(asked), 15)
        for expression in asked:
            for name in re.findall(r"\b((?:musetalkd|process)_\w+)", expression):
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), known, expression)

    def test_prometheus_scrapes_it(self):
        folder = self.server.folder
        port = free_port()
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: musetalkd, static_configs: [{{targets: ['127.0.0.1:{self.server.port}']}}]}}]\n")
        with open(folder / "prometheus.log", "w+") as log:
            prometheus = subprocess.Popen(
                [TOOLS / "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{port}"], cwd=folder, stdout=log, stderr=log)
            try:
                self.assertEqual(self.scraped(prometheus, port), "1")
            finally:
                prometheus.terminate()
                prometheus.wait(PATIENCE_S)

    def scraped(self, prometheus, port):
        """What Prometheus has of `musetalkd_registry_up`, once it has something."""
        question = f"http://127.0.0.1:{port}/api/v1/query?query=musetalkd_registry_up"
        while prometheus.poll() is None:
            try:
                with urllib.request.urlopen(question, timeout=PATIENCE_S) as answer:
                    if found := json.load(answer)["data"]["result"]:
                        return found[0]["value"][1]
            except OSError:
                pass
        return "Prometheus ended"


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
