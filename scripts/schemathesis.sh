#!/usr/bin/env bash
# Lets schemathesis (PyPI) try the running service against its own /openapi.json: requests that fit it and requests
# that do not, each answer held to what the document says.
#
#   scripts/schemathesis.sh [OPTION]...   builds nothing; starts build/bin/musetalkd in mock mode on a free port.
#                                         OPTIONs go to `schemathesis run`
#   scripts/schemathesis.sh --install     installs it into .deps/schemathesis, after which ctest has a test of that label
#   scripts/schemathesis.sh --help        this text
set -euo pipefail
source "$(dirname "$0")/lib.sh"

tool=${DEPS_DIR:-$root/.deps}/schemathesis
case ${1:-} in
--help | -h) usage; exit ;;
--install)
  python3 -m venv "$tool" || fail "no Python environment can be made" "apt-get install python3-venv"
  "$tool/bin/pip" --quiet --disable-pip-version-check install schemathesis==4.32.5 || fail "schemathesis cannot be fetched from PyPI"
  exit
  ;;
esac
[ -x "$tool/bin/schemathesis" ] || fail "schemathesis is not installed" "scripts/schemathesis.sh --install"
program=${SERVER_BIN:-$root/build/bin/musetalkd}
[ -x "$program" ] || fail "$program is missing" "build it: docs/development.md"
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  rm -rf "$folder"
}
trap finish EXIT
mkdir "$folder/videos"
(cd "$folder" && ENABLE_AVATAR=false AVATARS_DIR="$folder/avatars" MUSETALKD_VIDEO_ROOTS="$folder/videos" \
  MUSETALKD_LISTEN=127.0.0.1:0 exec "$program") >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  url=$(sed -n 's|.*listens at \(http://[^,]*\),.*|\1|p' "$folder/log")
  [ -z "$url" ] && kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
[ -n "$url" ] || fail "the server did not start" "$(tail -3 "$folder/log")"
# Streams that never end, and a WebSocket, are no requests with an answer. Text of a document may be any text, but the service
# checks more of it than a schema can say (ids, paths that exist), so a refusal of what fits is no fault. An avatar may be
# called `create`: what lies there takes GET and DELETE too, and says so.
"$tool/bin/schemathesis" run "$url/openapi.json" --checks all \
  --exclude-checks positive_data_acceptance,ignored_auth,allow_header_conformance --exclude-tag events \
  --generation-deterministic --no-color --request-timeout 20 "$@" || { tail -20 "$folder/log"; exit 1; }
