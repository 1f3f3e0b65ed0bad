#!/usr/bin/env bash
# Stops the server that start.sh started: requests in flight end, then the process.
#
#   scripts/stop.sh           asks, and waits
#   scripts/stop.sh --kill    asks, waits, and ends it by force when the time is over
#
# Exit: 0 it does not run any more, 1 it still does. Jobs that ran are continued after the next start.
#
# RUN_DIR=DIR         another folder than run/
# STOP_TIMEOUT_S=60   how long it may take
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/service.sh

case ${1:-} in
--help | -h) usage; exit ;;
--kill | "") ;;
*) fail "unknown argument $1" "scripts/stop.sh --help" ;;
esac
lock
if ! pid=$(running_pid); then
  rm -f "$pid_file"
  echo "musetalkd does not run"
  exit
fi
kill -TERM "$pid"
deadline=$((SECONDS + ${STOP_TIMEOUT_S:-60}))
while running_pid >/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
if running_pid >/dev/null; then
  [ "${1:-}" = --kill ] || fail "musetalkd (pid $pid) has not stopped in ${STOP_TIMEOUT_S:-60} s" \
    "its log: $log_file" "by force: scripts/stop.sh --kill (no accepted job is lost)"
  kill -KILL "$pid"
  while running_pid >/dev/null; do sleep 0.1; done
fi
rm -f "$pid_file"
echo "musetalkd has stopped"
