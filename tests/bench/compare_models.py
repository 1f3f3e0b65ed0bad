"""Runs bench_models and python_models.py in turns and prints them side by side as a Markdown table.

    python3 tests/bench/compare_models.py --python VENV/bin/python [--bench build/bin/bench_models] [--rounds 2]
        [--networks unet,vae_decode,vae_encode,whisper] [--batches 1,4] [--dtypes fp32,bf16] [--device cpu] [--threads N]
        [--seconds S] [--calls N] [--longest S] [--layout quicker] [--json FILE] [--quick]

Each program runs alone and more than once; of each figure the least is taken. Python has the layout, planes or
channels-last, that is quicker for the first batch. Wall time means nothing on a machine with other work: there the
processor time is the better measure (`OMP_WAIT_POLICY` is set to `passive`, so that waiting threads do not count).

`--quick` is for eight minutes on two idle cores: one round, one call of a batch that takes longer than a second, and no
batch whose call would take longer than 13 s, which the table says.
"""

import argparse
import json
import os
import subprocess
import time


def run(command):
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)["results"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--bench", default="build/bin/bench_models")
    parser.add_argument("--networks", default="unet,vae_decode,vae_encode,whisper")
    parser.add_argument("--batches", default="1,4")
    parser.add_argument("--dtypes", default="fp32,bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--seconds", default="3")
    parser.add_argument("--calls", default="3")
    parser.add_argument("--longest", default="0")
    parser.add_argument("--layout", default="quicker")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.calls, options.seconds, options.longest = 1, "1", "1", "13"
    here = os.path.dirname(os.path.abspath(__file__))
    start, best, peaks = time.monotonic(), {}, {}
    for network in options.networks.split(","):
        for dtype in options.dtypes.split(","):
            shared = ["--networks", network, "--dtypes", dtype, "--batches", options.batches, "--device", options.device,
                      "--threads", options.threads, "--seconds", options.seconds, "--calls", options.calls,
                      "--longest", options.longest]
            programs = [("ours", [options.bench, *shared]),
                        ("python", [options.python, f"{here}/python_models.py", *shared, "--layout", options.layout])]
            for _ in range(options.rounds):
                for name, command in programs:
                    for row in run(command):
                        if "peak" in row:
                            old = peaks.get(dtype, (0, 0))
                            peaks[dtype] = (max(old[0], row["matmul_gflops"]), max(old[1], row["conv_gflops"]))
                            continue
                        key = (network, dtype, row["batch"], name)
                        if "left_out" in row:
                            best.setdefault(key, row)
                            continue
                        old = best.setdefault(key, row)
                        if "left_out" in old:
                            old = best[key] = row
                        for field in ("ms_per_frame", "cpu_ms_per_frame", "load_ms", "peak_rss_mb"):
                            old[field] = min(old[field], row[field])
                        old["gflops"] = max(old["gflops"], row["gflops"])
    for dtype, (matmul, conv) in peaks.items():
        print(f"{dtype}: matrix product {matmul:.0f} GFLOP/s, convolution {conv:.0f} GFLOP/s")
    print("\n| network | dtype | batch | Python ms (CPU ms) | ours ms (CPU ms) | Python / ours (CPU) | GFLOP/s | of peak |"
          "\n|---|---|---:|---:|---:|---:|---:|---:|")
    for (network, dtype, batch, name), ours in best.items():
        if name != "ours":
            continue
        python = best[network, dtype, batch, "python"]
        if "left_out" in ours or "left_out" in python:
            whose = " and ".join(x for x, row in (("ours", ours), ("Python's", python)) if "left_out" in row)
            print(f"| {network} | {dtype} | {batch} | not measured: {whose} takes too long | | | | |")
            continue
        wall, processor = (python[x] / ours[x] for x in ("ms_per_frame", "cpu_ms_per_frame"))
        peak = max(peaks[dtype])
        print(f"| {network} | {dtype} | {batch} | {python['ms_per_frame']:.0f} ({python['cpu_ms_per_frame']:.0f}) | "
              f"{ours['ms_per_frame']:.0f} ({ours['cpu_ms_per_frame']:.0f}) | {wall:.2f} ({processor:.2f}) | "
              f"{ours['gflops']:.0f} | {ours['gflops'] / peak:.2f} |")
        # Both computed the same weights on the same input.
        if abs(ours["magnitude"] - python["magnitude"]) > 0.01 * python["magnitude"]:
            print(f"\nthe outputs differ: {ours['magnitude']} and {python['magnitude']}\n")
    print(f"\n{time.monotonic() - start:.0f} s in all")
    if options.json:
        with open(options.json, "w") as file:
            json.dump([dict(row, program=key[3]) for key, row in best.items()], file, indent=1)


if __name__ == "__main__":
    main()
