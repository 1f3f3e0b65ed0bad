#!/usr/bin/env python3
"""Checks that every include follows the arrows between the rooms: http -> actors -> pipeline -> models.

    forbidden_includes.py [ROOT]

The tables below are the rules; docs/development.md says why the rooms exist. Prints one line for each include that
breaks a rule and exits 1 when there is any.
"""
import re
import sys
from pathlib import Path

# Room -> rooms whose headers it may include, beside its own.
ARROWS = {
    "errors": set(),
    "config": {"errors"},
    "models": {"errors"},
    "pipeline": {"errors", "config"},
    "actors": {"errors", "config", "pipeline"},
    "http": {"errors", "config", "actors"},
}

# Include pattern, the files that may have it, and the reason. Also true for our own headers.
RESERVED = [
    (r"models/", r"(models|tests)/.*|pipeline/.*\.cpp",
     "the networks are an implementation detail of pipeline/: no tensor in a pipeline header"),
    (r"(torch|ATen|c10)/", r"(models|tests/models|tests/bench)/.*",
     "LibTorch costs 13 s and 1 GB per file, and stays behind models/"),
    (r"caf/", r"(actors|http|tests)/.*",
     "pipeline/ and models/ are plain code that runs and is tested without actors"),
    (r"pistache/", r"http/.*|tests/http/.*",
     "Pistache is kept behind the gate of http/"),
    (r"(opencv2|libav\w+|libsw\w+|isa-l)(/|\.h)", r"(pipeline|tests)/.*",
     "media and pictures are the work of pipeline/"),
    (r"sqlite3\.h", r"(pipeline|tests/pipeline)/.*\.cpp|tests/service/failpoints\.cpp",
     "the catalog alone knows SQL"),
]

# http/ sees of pipeline/ only the plain data that the messages themselves carry, ...
MESSAGES = "actors/interfaces.hpp"
# ... a few leaves about that data (how an id, a time, a tag or a sum is written, what is free on a disk, found of the weights or wrong in a store), ...
LEAVES = {"pipeline/avatar_tag.hpp", "pipeline/disk.hpp", "pipeline/hash_memory.hpp", "pipeline/ids.hpp",
          "pipeline/offline_check.hpp", "pipeline/sha256.hpp", "pipeline/sync_figures.hpp", "pipeline/time.hpp",
          "pipeline/weights.hpp"}
# ... and all of it in the one place that puts the system together.
COMPOSITION = r"http/composition\.[ch]pp"

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def includes(path):
    """The (line number, included path) pairs of a file."""
    text = path.read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in INCLUDE.finditer(text)]


def reachable(root, header):
    """All headers of ours that a header brings in, itself included."""
    seen, pending = set(), [header]
    while pending:
        name = pending.pop()
        if name in seen or not (root / name).is_file():
            continue
        seen.add(name)
        pending += [target for _, target in includes(root / name)]
    return seen


def violations(root):
    """Yields a line for each include that breaks a rule."""
    messages = reachable(root, MESSAGES) | LEAVES
    for room in [*ARROWS, "tests"]:
        for path in sorted((root / room).rglob("*.[ch]pp")):
            name = path.relative_to(root).as_posix()
            for line, target in includes(path):
                where = f"{name}:{line}: includes {target}"
                target_room = target.split("/")[0]
                if target.startswith((".", "/")):
                    yield f"{where}; write the path from the root, with the room first"
                elif room in ARROWS and target_room == "tests":
                    yield f"{where}; nothing depends on tests"
                elif (room in ARROWS and target_room in ARROWS and target_room not in ARROWS[room] | {room, "models"}
                      and not (room == "http" and (target in messages or re.fullmatch(COMPOSITION, name)))):
                    yield f"{where}; {room}/ may include only {', '.join(sorted(ARROWS[room] | {room}))}"
                for pattern, allowed, reason in RESERVED:
                    if re.match(pattern, target) and not re.fullmatch(allowed, name):
                        yield f"{where}; {reason}"


def main(arguments):
    root = Path(arguments[0] if arguments else Path(__file__).parent.parent)
    found = list(violations(root))
    print("\n".join(found) if found else "every include follows the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
