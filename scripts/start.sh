#!/usr/bin/env bash
# Starts the server in the background and waits until it answers:
#
#   scripts/start.sh
#
# Files: run/musetalkd.pid, run/musetalkd.log. Settings: .env, over it the environment (MUSETALKD_LISTEN, ...).
# Exit: 0 it runs (also when it ran before), 1 it does not.
#
# RUN_DIR=DIR          another folder than run/
# ENV_FILE=FILE        another file than .env
# START_TIMEOUT_S=30   how long it may take to answer
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/service.sh

case ${1:-} in
--help | -h) usage; exit ;;
"") ;;
*) fail "unknown argument $1" "scripts/start.sh --help" ;;
esac
lock
url=$(server_url)
if pid=$(running_pid); then
  echo "musetalkd already runs: $url (pid $pid, log $log_file)"
  exit
fi
[ -x "$server" ] || fail "there is no $server" "build it: ./check, or cmake --preset release && cmake --build build"
! answers /livez || fail "another server answers at $url, and start.sh did not start it" \
  "stop that one, or choose another address: MUSETALKD_LISTEN=127.0.0.1:9001 $0"
env_file=${ENV_FILE:-$root/.env}
arguments=()
[ ! -f "$env_file" ] || arguments=(--env-file "$env_file")
printf -- '--- %s: start\n' "$(date -Is)" >>"$log_file"
log_begin=$(stat -c %s "$log_file")
# A session of its own: Ctrl-C in this terminal must not reach it. It must not inherit the lock either.
setsid "$server" ${arguments[@]+"${arguments[@]}"} >>"$log_file" 2>&1 </dev/null 8>&- &
pid=$!
printf '%s\n' "$pid" >"$pid_file"
deadline=$((SECONDS + ${START_TIMEOUT_S:-30}))
until answers /livez; do
  if ! kill -0 "$pid" 2>/dev/null; then
    rm -f "$pid_file"
    tail -c +$((log_begin + 1)) "$log_file" | tail -5 | cut -c1-300 >&2
    fail "musetalkd ended at once; the end of $log_file is above" \
      "a wrong setting? $server --print-config; a used port? MUSETALKD_LISTEN=127.0.0.1:9001 $0"
  fi
  [ $SECONDS -lt $deadline ] || fail "musetalkd (pid $pid) does not answer at $url/livez" "its log: $log_file; scripts/stop.sh ends it"
  sleep 0.1
done
# Networks are loaded after the port is open; what is missing does not come by waiting.
loading() { curl -s --noproxy '*' --max-time 2 "$url/readyz" | grep -q '"code":"device.busy"'; }
while loading && [ $SECONDS -lt $deadline ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
if answers /readyz; then
  state=ready
else
  state="up, but not ready for jobs: curl $url/readyz says why"
fi
echo "musetalkd runs: $url (pid $pid, log $log_file), $state"
