# The one way to build Redline. Needs say.sh, packages.sh and $root.

# The same flags everywhere: others would build every dependency again.
release_flags=(-c release --static-swift-stdlib --product redline --explicit-target-dependency-import-check error)
binary=$root/.build/release/redline

require_swift() {
  command -v swift >/dev/null || die 'Swift is not installed (or not in PATH).
Redline needs Swift 6.3 or newer: https://www.swift.org/install/linux/ has the toolchain for Debian 12.'
}

build_release() {
  require_swift
  mapfile -t packages < <(build_packages)
  install_packages "${packages[@]}"
  step 'Building redline (release; the first build takes a few minutes)' swift_build
}

# SwiftPM leaves a score of temporary folders behind each time; in a folder of our own they go with it.
swift_build() {
  local temporary status
  temporary=$(mktemp -d "${TMPDIR:-/tmp}/redline-build.XXXXXX")
  # Never on a terminal: there SwiftPM asks compilers for colours, and with other flags it builds everything again.
  TMPDIR=$temporary swift build --package-path "$root" "${release_flags[@]}" 2>&1 | show_build_progress
  status=${PIPESTATUS[0]}
  rm -rf "$temporary"
  return "$status"
}

seconds_now() { printf '%s' "$SECONDS"; }

# Says of SwiftPM's output how far the build is, every ten seconds; what is no step, such as an error, it passes on.
#
# Steps say little about time: nearly all are small C files, and the last few, this project's modules, take most of it. How
# long those take is reckoned by the size of their sources and the pace so far, once there are only such steps. Some of the
# modules may still be good, hence "at most".
show_build_progress() {
  local line part rest='' module last='' now began told finished=0 steps=0 ends='' compiled=0 all=0
  local -A size=()
  for module in "$root"/Sources/*/; do
    part=$(find "$module" -name '*.swift' -exec cat {} + | wc -c)
    module=${module%/}
    ((part == 0)) || size[${module##*/}]=$part
    all=$((all + part))
  done
  began=$(seconds_now) told=$began
  while [[ -z $last ]]; do
    if IFS= read -r -t 10 part; then
      line=$rest$part rest=
    elif (($? > 128)); then
      rest+=$part line=
    else
      line=$rest$part last=yes
    fi
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ [A-Z][a-z]+\ ([A-Za-z0-9_]+) ]]; then
      finished=${BASH_REMATCH[1]} steps=${BASH_REMATCH[2]} module=${BASH_REMATCH[3]}
      now=$(seconds_now)
      if [[ $line == *' Compiling '* && -n ${size[$module]:-} ]]; then
        compiled=$((compiled + size[$module]))
        unset "size[$module]"
      fi
      if ((compiled * 10 > all && steps - finished <= ${#size[@]} + 2)); then
        # Linking takes some seconds more.
        ends=$((now + (all - compiled) * (now - began) / compiled + 30))
      fi
    elif ! is_of_no_interest "$line"; then
      say "    $line"
    fi
    now=$(seconds_now)
    if ((steps > 1 && now - told >= 10)); then
      printf '    %d of %d known steps, %d:%02d min so far; %s\n' \
        "$finished" "$steps" $(((now - began) / 60)) $(((now - began) % 60)) "$(time_left "$ends" "$now")"
      told=$now
    fi
  done
}

# The linker's warning is about a function of Swift's own library that redline does not call.
is_of_no_interest() {
  case $1 in
    '' | 'Building for '* | 'Build of product '*' complete!'* | *"the use of \`mktemp' is dangerous"*) return 0 ;;
    *) return 1 ;;
  esac
}

# time_left END NOW: both in seconds, END empty where it is not known.
time_left() {
  if [[ -z $1 ]]; then
    printf 'time left is not known yet'
  elif (($1 <= $2)); then
    printf 'it takes longer than the pace before said'
  elif (($1 - $2 <= 60)); then
    printf 'at most a minute left at this pace'
  else
    printf 'at most %d min left at this pace' $((($1 - $2 + 59) / 60))
  fi
}
