# Debian packages: what a build needs is installed, what only a demonstration or a test needs is unpacked privately.
# Needs say.sh, and $root (the project's folder).

tools=$root/.build/tools

# The C libraries of the build: Package.swift is their one list.
build_packages() {
  sed -n 's/.*apt: "\([^"]*\)".*/\1/p' "$root/Package.swift"
  printf '%s\n' git ca-certificates
}

missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$name"
  done
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || die "installing packages needs root: run as root or install sudo ($*)"
    sudo "$@"
  fi
}

# install_packages NAME...: installs those that are missing, and asks for nothing when none is.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  step "Installing ${missing[*]}" apt_install "${missing[@]}"
}

apt_install() {
  local log=$tools/apt.log
  mkdir -p "$tools"
  local command=(apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 install "$@")
  if as_root env DEBIAN_FRONTEND=noninteractive "${command[@]}" >"$log" 2>&1; then return 0; fi
  # A machine that never asked for the package lists, or whose lists are out of date.
  as_root apt-get -qq update >>"$log" 2>&1
  as_root env DEBIAN_FRONTEND=noninteractive "${command[@]}" >>"$log" 2>&1 && return 0
  tail -n 20 "$log" >&2
  die "could not install: $* (the whole output is in $log)"
}

# unpack_packages NAME...: lays the files of Debian packages under .build/tools/root, with the shared libraries that
# they need and the machine lacks. Nothing is installed, no service starts; programs run by .build/tools/bin/NAME.
unpack_packages() {
  local name wanted=()
  for name in "$@"; do
    [[ -e $tools/unpacked/$name ]] || wanted+=("$name")
  done
  ((${#wanted[@]})) || return 0
  step "Unpacking ${wanted[*]} into .build/tools" unpack_each "${wanted[@]}"
}

unpack_each() {
  mkdir -p "$tools/unpacked" "$tools/archives" "$tools/bin"
  local name
  for name in "$@"; do
    unpack_one "$name"
    relocate "$name"
    unpack_missing_libraries "$name"
    wrap_programs "$name"
    touch "$tools/unpacked/$name"
  done
}

unpack_one() {
  local name=$1 archive
  archive=$(find "$tools/archives" -name "${name}_*.deb" -print -quit)
  if [[ -z $archive ]]; then
    download_archive "$name"
    archive=$(find "$tools/archives" -name "${name}_*.deb" -print -quit)
  fi
  dpkg -x "$archive" "$tools/root"
}

# Debian's Alertmanager looks for its templates in a folder whose name is compiled in. Of the same length, the new name
# means that folder below the current one: the program is started where there is a link to $tools/root/usr.
relocate() {
  [[ $1 == prometheus-alertmanager ]] || return 0
  local folder=usr/share/prometheus/alertmanager
  LC_ALL=C sed -i "s,/$folder,$folder/,g" "$tools/root/usr/bin/$1"
}

# Package lists of our own are the fallback: they need no root where the machine has none or old ones.
download_archive() {
  local name=$1 log=$tools/apt.log
  local private=(-o APT::Sandbox::User="$(id -un)" -o Dir::State::Lists="$tools/apt/lists" -o Dir::Cache="$tools/apt/cache")
  (
    cd "$tools/archives"
    apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$name" >"$log" 2>&1 && exit 0
    mkdir -p "$tools/apt/lists/partial" "$tools/apt/cache/archives/partial"
    apt-get -qq "${private[@]}" update >>"$log" 2>&1
    apt-get -qq "${private[@]}" download "$name" >>"$log" 2>&1 && exit 0
    tail -n 20 "$log" >&2
    exit 1
  ) || die "could not download the package $name (the whole output is in $log)"
}

library_path() {
  printf '%s' "$tools/root/usr/lib/$(uname -m)-linux-gnu:$tools/root/lib/$(uname -m)-linux-gnu"
}

programs_of() {
  dpkg -c "$(find "$tools/archives" -name "$1_*.deb" -print -quit)" | sed -n 's,.* \./usr/bin/\([^ ]*\).*,\1,p'
}

lacks_libraries() {
  local program
  for program in $(programs_of "$1"); do
    [[ -e $tools/root/usr/bin/$program ]] || continue
    LD_LIBRARY_PATH=$(library_path) ldd "$tools/root/usr/bin/$program" 2>/dev/null | grep -q 'not found' && return 0
  done
  return 1
}

# Libraries come from the package's own dependencies, first alternative, one level at a time.
unpack_missing_libraries() {
  local level=("$1") next name dependency
  for _ in 1 2 3; do
    lacks_libraries "$1" || return 0
    next=()
    for name in "${level[@]}"; do
      for dependency in $(dpkg-deb -f "$(find "$tools/archives" -name "${name}_*.deb" -print -quit)" Depends |
        tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep '^lib'); do
        [[ -n $(missing_packages "$dependency") ]] || continue
        unpack_one "$dependency"
        next+=("$dependency")
      done
    done
    ((${#next[@]})) || break
    level=("${next[@]}")
  done
  lacks_libraries "$1" && die "the programs of $1 lack shared libraries that its dependencies do not bring"
  return 0
}

# A wrapper per program finds the private libraries and becomes the program, so its process id is the wrapper's.
wrap_programs() {
  local program
  for program in $(programs_of "$1"); do
    cat >"$tools/bin/$program" <<WRAPPER
#!/bin/sh
tools=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
LD_LIBRARY_PATH=\$tools/root/usr/lib/$(uname -m)-linux-gnu:\$tools/root/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH
exec "\$tools/root/usr/bin/$program" "\$@"
WRAPPER
    chmod +x "$tools/bin/$program"
  done
}
