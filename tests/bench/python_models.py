"""Times MuseTalk's networks as Python runs them (diffusers, transformers, torch), with the weights, inputs, batches and
JSON of bench_models. tests/bench/compare_models.py sets the two side by side.

    python python_models.py [--networks unet,vae_decode,vae_encode,whisper] [--batches 1,4] [--dtypes fp32,bf16]
                            [--device cpu] [--threads N] [--seconds S] [--calls N] [--longest S]
                            [--layout planes|channels_last|quicker]   quicker: by the first batch
                            [--save unet.pth]   writes the UNet's weights (3.4 GB) as a torch file, and ends

The packages are no part of the project: docs/performance.md says how to install them.
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
import torch

SEED = 1
GFLOP = {"unet": 177.8, "vae_decode": 622.2, "vae_encode": 545.4, "whisper": 37.0}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


# -- weights by hash, as models/networks/hash_fill.cpp ------------------------------------------------------------------
def fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def uniform(name, count):
    state = fnv1a64(name) ^ SEED
    out = np.empty(count, np.float32)
    with np.errstate(over="ignore"):
        for first in range(0, count, 1 << 16):
            last = min(count, first + (1 << 16))
            z = np.uint64(state) + np.arange(first + 1, last + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
            out[first:last] = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)
    return out


def distribution(name, shape):
    if name.endswith("embed_positions.weight"):
        return 0.0, 0.5
    if name.endswith(".bias"):
        return 0.0, 1 / 16
    if len(shape) == 1:
        return 1.0, 1 / 8
    return 0.0, np.float32(np.sqrt(3.0 / np.prod(shape[1:], dtype=np.float64)))


def fill(network):
    for name, x in network.state_dict().items():
        centre, scale = distribution(name, x.shape)
        values = np.float32(centre) + np.float32(scale) * uniform(name, x.numel())
        x.copy_(torch.from_numpy(values).view(x.shape))
    return network.eval().requires_grad_(False)


# -- networks -----------------------------------------------------------------------------------------------------------
def unet():
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=64, in_channels=8, out_channels=4, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2,
        cross_attention_dim=384, attention_head_dim=8)


def vae():
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, sample_size=256)


def whisper():
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    return WhisperEncoder(WhisperConfig(d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536))


def make(name):
    return fill({"unet": unet, "whisper": whisper}.get(name, vae)())


def subject(name, network, place):
    """A function of the batch that runs a network on inputs made before."""
    network = place(network)
    made = {}

    def given(what, *shape):
        if (what, shape) not in made:
            values = torch.from_numpy(uniform("input." + what, int(np.prod(shape)))).view(shape)
            made[what, shape] = place(values)
        return made[what, shape]

    runs = {
        "unet": lambda n: network(
            given("sample", n, 8, 32, 32), torch.zeros((), dtype=torch.long), given("encoder_hidden_states", n, 50, 384),
            return_dict=False)[0],
        "vae_decode": lambda n: network.decode(given("latent", n, 4, 32, 32), return_dict=False)[0],
        # Masked and reference, as an avatar's frame needs.
        "vae_encode": lambda n: network.encode(given("image", 2 * n, 3, 256, 256)).latent_dist.mean,
        "whisper": lambda n: torch.stack(network(given("mel", n, 80, 3000), output_hidden_states=True).hidden_states, 2),
    }
    return runs[name]


# -- measuring ----------------------------------------------------------------------------------------------------------
def once(work):
    """Wall and processor milliseconds of one call, and what it answered; reading a value waits for the device."""
    wall, processor = time.perf_counter(), time.process_time()
    output = work()
    output.flatten()[0].item()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - processor) * 1e3, output


def quickest(calls, seconds, work):
    """The least wall and processor milliseconds of the calls within the time, and of at least so many."""
    end, done = time.perf_counter() + seconds, []
    while len(done) < calls or time.perf_counter() < end:
        wall, processor, output = once(work)
        done.append((wall, processor))
    return min(x[0] for x in done), min(x[1] for x in done), output


def memory_mb(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024


def measure_peaks(device, dtype, seconds):
    gpu = device.type != "cpu"
    n, batch = (8192, 16) if gpu else (2048, 1)
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    x = torch.randn(batch, 512, 64, 64, device=device).to(dtype).contiguous(memory_format=torch.channels_last)
    w = torch.randn(512, 512, 3, 3, device=device).to(dtype).contiguous(memory_format=torch.channels_last)
    matmul, _, _ = quickest(3, seconds, lambda: a @ b)
    conv, _, _ = quickest(3, seconds, lambda: torch.nn.functional.conv2d(x, w, padding=1))
    return 2 * n**3 / matmul * 1e-6, 2 * 512 * 512 * 9 * 64 * 64 * batch / conv * 1e-6


def placer(device, dtype, layout):
    def place(x):
        x = x.to(device, dtype)
        last = layout == "channels_last" and (not torch.is_tensor(x) or x.dim() == 4)
        return x.to(memory_format=torch.channels_last) if last else x

    return place


def measure_network(name, name_of_dtype, device, options):
    """A row for each batch. Of the layouts only the quicker goes beyond the first batch."""
    start = time.perf_counter()
    network = make(name)
    load_ms = (time.perf_counter() - start) * 1e3
    rows, run, ms_per_frame, layout = [], None, 0, options.layout
    for n in map(int, options.batches.split(",")):
        row = {"network": name, "dtype": name_of_dtype, "batch": n}
        rows.append(row)
        if 0 < options.longest * 1e3 < n * ms_per_frame:
            row["left_out"] = "a call would take longer than --longest"
            continue
        best = None
        for x in ("planes", "channels_last") if layout == "quicker" else (layout,):
            # The network itself changes its layout; the one that stays is the last.
            run = subject(name, network, placer(device, DTYPES[name_of_dtype], x)) if len(rows) == 1 else run
            first_ms = once(lambda: run(n))[0] if len(rows) == 1 else first_ms
            wall, processor, output = quickest(options.calls, options.seconds, lambda: run(n))
            if best is None or wall < best[0]:
                best = wall, processor, output, x
        if layout == "quicker" and best[3] == "planes":
            place = placer(device, DTYPES[name_of_dtype], "planes")
            run = subject(name, network.to(memory_format=torch.contiguous_format), place)
        wall, processor, output, layout = best
        ms_per_frame = wall / n
        row.update({
            "layout": layout, "ms_per_frame": round(ms_per_frame, 2), "cpu_ms_per_frame": round(processor / n, 2),
            "gflops": round(GFLOP[name] / ms_per_frame * 1e3, 1), "load_ms": round(load_ms), "first_ms": round(first_ms),
            "rss_mb": round(memory_mb("VmRSS")),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "vram_mb": round(torch.cuda.max_memory_reserved() / 2**20) if device.type == "cuda" else 0,
            "magnitude": round(output.float().abs().mean().item(), 5)})
    return rows


def measure(options):
    device = torch.device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    results = []
    for name_of_dtype in options.dtypes.split(","):
        matmul, conv = measure_peaks(device, DTYPES[name_of_dtype], options.seconds / 3)
        results.append({"peak": options.device, "dtype": name_of_dtype, "threads": torch.get_num_threads(),
                        "matmul_gflops": round(matmul, 1), "conv_gflops": round(conv, 1)})
        for name in options.networks.split(","):
            for row in measure_network(name, name_of_dtype, device, options):
                if "left_out" not in row:
                    row["of_matmul_peak"] = round(row["gflops"] / matmul, 2)
                    row["of_conv_peak"] = round(row["gflops"] / conv, 2)
                results.append(row)
    json.dump({"program": f"python_models ({options.layout}, torch {torch.__version__})", "results": results}, sys.stdout,
              indent=1)
    print()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", default="unet,vae_decode,vae_encode,whisper")
    parser.add_argument("--batches", default="1,4")
    parser.add_argument("--dtypes", default="fp32,bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--calls", type=int, default=3)
    parser.add_argument("--longest", type=float, default=0)
    parser.add_argument("--layout", default="planes", choices=["planes", "channels_last", "quicker"])
    parser.add_argument("--save")
    options = parser.parse_args()
    with torch.inference_mode():
        if options.save:
            torch.save(fill(unet()).state_dict(), options.save)
        else:
            measure(options)


if __name__ == "__main__":
    main()
