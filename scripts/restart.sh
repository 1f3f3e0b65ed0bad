#!/usr/bin/env bash
# Stops the server cleanly, if it runs, and starts it again. Options and files are those of stop.sh and start.sh.
#
#   scripts/restart.sh [--kill]
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in
--help | -h) usage; exit ;;
--kill | "") ;;
*) fail "unknown argument $1" "scripts/restart.sh --help" ;;
esac
scripts/stop.sh "$@"
exec scripts/start.sh
