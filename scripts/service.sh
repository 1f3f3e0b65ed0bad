# Shared by start.sh, stop.sh, restart.sh and quickstart; sourced after lib.sh.
server=${SERVER_BIN:-$root/build/bin/musetalkd}
run_dir=${RUN_DIR:-$root/run}
pid_file=$run_dir/musetalkd.pid
log_file=$run_dir/musetalkd.log

# running_pid: prints the pid of the server that start.sh started; fails when there is none. A pid alone proves
# nothing: after a crash the number may be another program's, so the program must be ours.
running_pid() {
  local pid program
  pid=$(cat "$pid_file" 2>/dev/null) || return 1
  [[ $pid =~ ^[1-9][0-9]*$ ]] || return 1
  program=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
  # A rebuild replaces the file below a running server.
  [ "${program% (deleted)}" = "$(realpath -m "$server")" ] || return 1
  printf '%s\n' "$pid"
}

# lock: one start or stop at a time.
lock() {
  mkdir -p "$run_dir"
  exec 8>"$run_dir/.lock"
  flock -w 120 8 || fail "another start or stop holds $run_dir/.lock"
}
