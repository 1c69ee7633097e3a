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

swift_build() { swift build --package-path "$root" "${release_flags[@]}"; }
