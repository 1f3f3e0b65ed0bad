#!/usr/bin/env bash
# Formats the C++ files of the tree with clang-format 14:
#
#   scripts/format.sh            in place
#   scripts/format.sh --check    changes nothing; fails and names the files that differ
set -euo pipefail
source "$(dirname "$0")/lib.sh"

case ${1:-} in
--help | -h) usage; exit ;;
--check) mode=(--dry-run -Werror) ;;
"") mode=(-i) ;;
*) fail "unknown argument $1" "scripts/format.sh --help" ;;
esac
# Other versions format differently.
command -v clang-format-14 >/dev/null || fail "clang-format-14 is missing" "scripts/setup.sh"
mapfile -d '' files < <(find actors config errors http models pipeline tests -name '*.[ch]pp' -print0)
[ ${#files[@]} -gt 0 ] || fail "no C++ files below $root"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if printf '%s\0' "${files[@]}" | xargs -0 -n 16 -P "$(nproc)" clang-format-14 "${mode[@]}" 2>"$log"; then
  [ "${1:-}" != --check ] || echo "${#files[@]} files are formatted"
  exit
fi
fail "these files are not formatted:"$'\n'"$(sed -nE 's|^([^:]+):[0-9]+:.*|  \1|p' "$log" | sort -u)" "scripts/format.sh"
