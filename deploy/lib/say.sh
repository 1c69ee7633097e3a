# What the person at the terminal reads: one line per step, with the time it took when it was long.

say() { printf '%s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step TEXT COMMAND...: names a step, runs it, and says how long it took when that was more than a second.
step() {
  local text=$1 began=$SECONDS
  shift
  say "==> $text"
  "$@" || return
  local took=$((SECONDS - began))
  if ((took > 1)); then say "    done in $took s"; fi
}
