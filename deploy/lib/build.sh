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
  local temporary status=0
  temporary=$(mktemp -d "${TMPDIR:-/tmp}/redline-build.XXXXXX")
  TMPDIR=$temporary swift build --package-path "$root" "${release_flags[@]}" || status=$?
  rm -rf "$temporary"
  return "$status"
}
