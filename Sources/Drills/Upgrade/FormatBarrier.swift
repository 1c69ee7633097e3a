/// Whether a release reads the files of another.
struct FormatBarrier: Sendable {
  enum Verdict: Sendable {
    case fine(String)
    case barrier(String)
    case unknown(String)
  }

  let from: ServerRelease
  let target: ServerRelease

  /// What reading its files comes to; nil severity where they are read.
  var verdict: Verdict {
    func named(_ release: ServerRelease) -> String {
      release.rdbFormat.map { "\(release) (RDB format \($0))" } ?? "\(release)"
    }
    if from.product == target.product {
      if target.version < from.version, target.isOfOlderBranch(than: from) {
        return .barrier(
          "\(named(target)) is older than \(named(from)): files are not read backwards; restore a backup of that time, or copy keys"
        )
      }
      guard let old = from.rdbFormat, let new = target.rdbFormat else {
        return target.isOfOlderBranch(than: from) || from.branch == target.branch
          ? .fine("\(target) is of the same branch")
          : .fine(
            "a newer \(target.product.title) reads files of \(from); whether an older replica reads those of \(target) is not known: treat it as no, and upgrade all replicas before the failover"
          )
      }
      return new > old
        ? .fine(
          "\(named(target)) reads files of \(named(from)), not the other way round: a new replica of an old master is well, an old replica of a new master fails at its next full sync; there is no way back after the failover but a backup"
        )
        : .fine("\(named(from)) and \(named(target)) read each other's files: both orders of replication work")
    }
    if target.product == .valkey {
      guard let old = from.rdbFormat else { return .unknown("the RDB format of \(from) is not known here") }
      return old <= 11
        ? .fine(
          "\(named(target)) reads files of \(named(from)): Valkey takes over from Redis up to 7.2. There is no way back after the failover but a backup"
        )
        : .barrier(
          "\(named(target)) is not assured to read \(named(from)): Valkey takes over from Redis up to 7.2 alone. Copy keys, or try a backup with rdb-version-check relaxed (Valkey 8.1 and later)"
        )
    }
    return .barrier(
      "\(named(target)) is not assured to read \(named(from)): Redis knows nothing of Valkey's files. Copy keys")
  }
}
