# Shared by the scripts; sourced, not run. Sets `root` and goes there.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# fail MESSAGE [WHAT TO DO]...: ends the script.
fail() {
  printf '\nfailed: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  -> %s\n' "$@" >&2
  exit 1
}

# usage: prints the comment at the head of the script itself.
usage() {
  sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"
}

# setting KEY DEFAULT: the environment's value, else that of .env, else the default.
setting() {
  local line
  if [ -n "${!1:-}" ]; then
    printf '%s\n' "${!1}"
    return
  fi
  line=$(grep -E "^[[:space:]]*$1[[:space:]]*=" "${ENV_FILE:-$root/.env}" 2>/dev/null | tail -1 || true)
  line=$(sed -E 's/^[^=]*=[[:space:]]*//; s/[[:space:]]+(#.*)?$//; s/^"(.*)"$/\1/; s/^'"'"'(.*)'"'"'$/\1/' <<<"$line")
  printf '%s\n' "${line:-$2}"
}

# server_url: where the server listens, as a client on this machine sees it.
server_url() {
  local listen
  listen=$(setting MUSETALKD_LISTEN 127.0.0.1:9000)
  printf 'http://%s\n' "$listen" | sed -E 's|//(0\.0\.0\.0)?:|//127.0.0.1:|; s|//\[::\]:|//[::1]:|'
}

# answers PATH: whether the server answers 2xx there.
answers() {
  curl -fsS --noproxy '*' --max-time 2 -o /dev/null "$(server_url)$1" 2>/dev/null
}

# build PRESET [TARGET]...: configures when needed, then builds. Quiet unless it is watched or fails.
build() {
  local preset=$1 dir=build memory_gb jobs watched=(--quiet)
  shift
  [ "$preset" = release ] || dir=build-$preset
  # A file that sees LibTorch takes more than 1 GB to compile.
  memory_gb=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  jobs=$(nproc)
  [ "$jobs" -le "$memory_gb" ] || jobs=$((memory_gb > 0 ? memory_gb : 1))
  [ ! -t 1 ] || watched=()
  mkdir -p "$dir"
  if [ ! -f "$dir/build.ninja" ] || [ CMakePresets.json -nt "$dir/CMakeCache.txt" ] || [ -n "${LIBTORCH_ROOT:-}" ]; then
    cmake --preset "$preset" ${LIBTORCH_ROOT:+-DLIBTORCH_ROOT="$LIBTORCH_ROOT"} >"$dir/configure.log" 2>&1 || {
      tail -20 "$dir/configure.log" >&2
      fail "cmake could not configure $dir" "the whole output: $dir/configure.log" \
        "after an upgrade of the compiler or a library: rm -r $dir, then again"
    }
  fi
  cmake --build "$dir" -j "$jobs" ${1:+--target "$@"} -- ${watched[@]+"${watched[@]}"} ||
    fail "the build stopped at the error above" "out of memory? close programs, or: cmake --build $dir -j 1"
}
