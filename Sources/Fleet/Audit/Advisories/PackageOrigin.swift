import Config

/// The package that a server came from, as far as that can be told: a distributor mends faults without changing the version
/// that the server says.
enum PackageOrigin: Equatable {
  /// Neither the configuration nor the build tells.
  case unknown
  /// The configuration names a package of another version than the one that runs.
  case otherVersion(ServerPackage)
  case package(Package)

  struct Package: Equatable {
    let package: ServerPackage
    /// nil where it is no version that Debian's rules sort.
    let version: DebianVersion?
    /// nil where the file knows no release of that distribution with that mark.
    let release: Advisories.Release?
    /// The configuration names another package than the one whose build runs: it was changed since the server started.
    var isOlderBuild = false
  }

  /// The build is the server's own word, so it goes before what is declared.
  ///
  /// - Parameters:
  ///   - version: that the server says.
  ///   - buildID: `redis_build_id` of its INFO; nil where it does not tell.
  init(declared: ServerPackage?, buildID: String?, version: Version, _ advisories: Advisories) {
    if let build = advisories.builds.first(where: { $0.id == buildID }) {
      var package = Self.find(build.package, advisories)
      package.isOlderBuild = declared.map { $0 != build.package } ?? false
      self = .package(package)
      return
    }
    guard let declared else {
      self = .unknown
      return
    }
    let package = Self.find(declared, advisories)
    self = package.version.map { $0.program == version } ?? true ? .package(package) : .otherVersion(declared)
  }

  private static func find(_ package: ServerPackage, _ advisories: Advisories) -> Package {
    let support = advisories.supports.first { support in
      support.release.distribution == package.distribution && package.version.contains(support.mark)
    }
    return Package(package: package, version: DebianVersion(package.version), release: support?.release)
  }
}
