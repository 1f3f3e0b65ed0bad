"""The include check finds each kind of wrong include, and lets the right ones pass."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import forbidden_includes


class ForbiddenIncludes(unittest.TestCase):
    def violations(self, files):
        """What the check says about a tree of {path: included paths}."""
        with tempfile.TemporaryDirectory() as folder:
            for path, targets in files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("#pragma once\n" + "".join(f'#include "{target}"\n' for target in targets))
            return list(forbidden_includes.violations(Path(folder)))

    def assert_refused(self, path, target):
        found = self.violations({path: [target]})
        self.assertEqual([line.split(";")[0] for line in found], [f"{path}:2: includes {target}"])

    def test_arrows_point_downwards(self):
        self.assert_refused("pipeline/a.cpp", "actors/interfaces.hpp")
        self.assert_refused("actors/a.cpp", "http/server.hpp")
        self.assert_refused("config/a.cpp", "pipeline/job.hpp")
        self.assert_refused("models/a.cpp", "config/settings.hpp")
        self.assert_refused("errors/a.cpp", "config/settings.hpp")

    def test_models_are_hidden_in_sources_of_pipeline(self):
        self.assert_refused("pipeline/a.hpp", "models/weights.hpp")
        self.assert_refused("actors/a.cpp", "models/weights.hpp")
        self.assertEqual(self.violations({"pipeline/a.cpp": ["models/weights.hpp"]}), [])

    def test_libraries_stay_in_their_rooms(self):
        self.assert_refused("pipeline/a.cpp", "torch/types.h")
        self.assert_refused("pipeline/a.cpp", "caf/all.hpp")
        self.assert_refused("models/a.hpp", "caf/error.hpp")
        self.assert_refused("actors/a.cpp", "pistache/http.h")
        self.assert_refused("http/a.cpp", "opencv2/core.hpp")
        self.assert_refused("actors/a.cpp", "sqlite3.h")

    def test_http_sees_the_data_of_the_messages_and_no_more(self):
        messages = {"actors/interfaces.hpp": ["pipeline/job.hpp"], "pipeline/job.hpp": ["pipeline/image.hpp"],
                    "pipeline/image.hpp": [], "pipeline/catalog.hpp": []}
        self.assertEqual(self.violations(messages | {"http/a.cpp": ["pipeline/job.hpp", "pipeline/image.hpp"]}), [])
        self.assertEqual(len(self.violations(messages | {"http/a.cpp": ["pipeline/catalog.hpp"]})), 1)
        self.assertEqual(self.violations(messages | {"http/composition.cpp": ["pipeline/catalog.hpp"]}), [])
        self.assertEqual(len(self.violations(messages | {"http/composition.cpp": ["models/weights.hpp"]})), 1)

    def test_paths_begin_with_the_room(self):
        self.assert_refused("http/a.cpp", "../errors/error.hpp")

    def test_nothing_depends_on_tests(self):
        self.assert_refused("actors/a.cpp", "tests/actors/fakes.hpp")

    def test_right_includes_pass(self):
        self.assertEqual(self.violations({
            "actors/a.hpp": ["caf/all.hpp", "pipeline/job.hpp", "config/settings.hpp", "errors/error.hpp", "vector"],
            "models/a.cpp": ["torch/torch.h"],
            "http/a.cpp": ["pistache/http.h", "actors/interfaces.hpp", "http/b.hpp"],
            "tests/pipeline/a.cpp": ["models/weights.hpp", "pipeline/job.hpp", "caf/all.hpp"],
        }), [])


if __name__ == "__main__":
    unittest.main()
