#!/usr/bin/env bash
# Makes the pictures of the console in docs/images/ anew, from the built musetalkd with synthetic weights:
#
#   scripts/console_pictures.sh [BUILD_DIR]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
exec /usr/bin/python3 -B tests/console/screenshots.py "$build/bin/musetalkd" .deps/media/carphone_pristine.mp4 docs/images
