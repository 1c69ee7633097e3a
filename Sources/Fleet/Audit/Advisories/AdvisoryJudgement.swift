import Config

/// Which known faults a server has, and who could make use of each. Pure.
struct AdvisoryJudgement {
  /// A server as the judgement sees it.
  struct Server {
    let product: Advisories.Product
    let version: Version
    var isClusterNode = false
    /// nil where it is not known whether it serves TLS.
    var servesTLS: Bool?
    var origin = PackageOrigin.unknown
    var users: AuditAnswer<[AuditUser]> = .unknown("+acl|users")
    /// Users who may run what is dangerous.
    var admins: Set<String> = []
    /// Users that somebody was seen connected as. Of others nobody knows whether they are on: only lists with hashes of
    /// passwords tell.
    var inUse: Set<String> = []
    /// Redline's own, which runs nothing that is not asked here; nil where it is `default`.
    var ownUser: String?
  }

  /// What is said of one server: one sentence for all of its faults, since one upgrade mends them.
  struct Found: Equatable {
    let severity: Finding.Severity
    /// The ids of the faults that somebody could use, in the order of the file.
    let key: String
    /// The rest of a sentence that begins with the server's name.
    let text: String
  }

  /// Who could make use of a fault.
  private enum Reach: Hashable {
    case anybody
    /// - Parameter unseen: users who could if they are on.
    case users([String], unseen: [String])
    /// Users that nobody was seen connected as.
    case unseen([String])
    /// Every user that there may be.
    case everyUser
    case adminsOnly
    case nobody
    /// What is missing.
    case unknown(String)
  }

  private struct Group {
    let reach: Reach
    let need: Advisories.Need
    /// It is about servers of a kind, and nobody knows whether this is one.
    let isConditional: Bool
    var ids: [String] = []
    var severity: Finding.Severity
  }

  let advisories: Advisories
  let server: Server

  private static let namedIDs = 12
  private static let namedUsers = 5

  // MARK: Faults

  /// nil where it has none that is known.
  var faults: Found? {
    var groups: [Group] = []
    var (fixes, packages): ([Version?], [DebianVersion]) = ([], [])
    var (isUncertain, packageText): (Bool, String?) = (false, nil)
    for fault in advisories.faults {
      guard case .has(let fix, let mayBeMended) = standing(fault) else { continue }
      let reach = reach(fault.need)
      let isConditional = fault.condition == .tls && server.servesTLS == nil
      let severity = severity(fault, reach, isCertain: !mayBeMended && !isConditional)
      switch fix {
      case .version(let version): fixes.append(version)
      case .package(let version, let text):
        if packages.allSatisfy({ $0 < version }) { packageText = text }
        packages.append(version)
      }
      isUncertain = isUncertain || mayBeMended
      let same = groups.firstIndex {
        $0.reach == reach && $0.need == fault.need && $0.isConditional == isConditional
      }
      if let index = same {
        groups[index].ids.append(fault.id)
        groups[index].severity = max(groups[index].severity, severity)
      } else {
        groups.append(
          Group(reach: reach, need: fault.need, isConditional: isConditional, ids: [fault.id], severity: severity))
      }
    }
    guard let worst = groups.map(\.severity).max() else { return nil }
    let ordered = Finding.Severity.allCases.reversed().flatMap { severity in
      groups.filter { $0.severity == severity }
    }
    var parts = ordered.map { group in
      "\(ids(group.ids)): \(who(group))\(group.isConditional ? " if it serves TLS, which is unknown" : "")"
    }
    if let packageText { parts.append("\(packageText) has the fixes") } else { parts.append(remedy(fixes)) }
    if isUncertain { parts.append(doubt) }
    let usable = ordered.filter { $0.severity > .info }.flatMap(\.ids)
    return Found(
      severity: worst, key: usable.sorted().joined(separator: " "),
      text: "runs \(server.product.rawValue) \(server.version) with \(parts.joined(separator: "; "))")
  }

  private enum Fix {
    /// nil where no version of the branch has it no more.
    case version(Version?)
    case package(DebianVersion, String)
  }

  private enum Standing {
    case hasNot
    /// A distributor may have mended it without another version.
    case has(Fix, mayBeMended: Bool)
  }

  private func standing(_ fault: Advisories.Fault) -> Standing {
    switch fault.condition {
    case .cluster where !server.isClusterNode: return .hasNot
    case .tls where server.servesTLS == false: return .hasNot
    default: break
    }
    let branch = Advisories.Branch(server.version)
    // Of the package that this server is, not of another program of the same release.
    if case .package(let own) = server.origin, let release = own.release, let version = own.version,
      let fixed = fault.packages[release], Advisories.Branch(fixed.program) == branch
    {
      return version < fixed ? .has(.package(fixed, fixed.text), mayBeMended: false) : .hasNot
    }
    // What a distribution alone did wrong is no fault of other builds.
    guard let versions = fault.fixed[server.product] else { return .hasNot }
    if let from = fault.from[server.product], server.version < from { return .hasNot }
    if let fixed = versions[branch] {
      guard server.version < fixed else { return .hasNot }
    } else if let newest = versions.keys.max(), branch > newest {
      return .hasNot
    }
    let mayBeMended: Bool
    switch server.origin {
    case .package, .otherVersion: mayBeMended = true
    case .unknown: mayBeMended = fault.packages.values.contains { $0.program == server.version }
    }
    return .has(.version(versions[branch]), mayBeMended: mayBeMended)
  }

  private func severity(_ fault: Advisories.Fault, _ reach: Reach, isCertain: Bool) -> Finding.Severity {
    switch reach {
    case .adminsOnly, .nobody, .unseen: .info
    case .unknown: .warning
    case .anybody, .users, .everyUser: fault.weight == .critical && isCertain ? .critical : .warning
    }
  }

  // MARK: Who

  private func reach(_ need: Advisories.Need) -> Reach {
    guard need != .noLogin else { return .anybody }
    switch server.users {
    case .unknown(let reason): return need == .login ? .everyUser : .unknown(reason)
    case .known(let users):
      let able = users.filter { user in
        if case .command(let command) = need { user.reach.contains(command) } else { user.name != server.ownUser }
      }.map(\.name)
      if able.isEmpty { return .nobody }
      let others = able.filter { !server.admins.contains($0) }
      guard !others.isEmpty else { return .adminsOnly }
      let (seen, unseen) = (others.filter(server.inUse.contains), others.filter { !server.inUse.contains($0) })
      return seen.isEmpty ? .unseen(unseen) : .users(seen, unseen: unseen)
    }
  }

  private func who(_ group: Group) -> String {
    let what: String
    if case .command(let command) = group.need { what = "can \(command.rawValue)" } else { what = "can log in" }
    switch group.reach {
    case .anybody: return "no login is needed"
    case .everyUser: return "every user \(what)"
    case .users(let names, let unseen):
      return "\(users(names)) \(what)\(unseen.isEmpty ? "" : " (so can \(users(unseen)), if on)")"
    case .unseen(let names): return "\(users(names)) \(what), if on: nobody was seen connected as such"
    case .adminsOnly: return "only admins \(what)"
    case .nobody: return "nobody \(what)"
    case .unknown(let reason): return "who \(what) is unknown: \(reason)"
    }
  }

  private func users(_ names: [String]) -> String {
    let named = names.prefix(Self.namedUsers).map(AuditedServer.shown).joined(separator: ", ")
    let more = names.count > Self.namedUsers ? " and \(names.count - Self.namedUsers) more" : ""
    return "\(names.count == 1 ? "user" : "users") \(named)\(more)"
  }

  private func ids(_ ids: [String]) -> String {
    let more = ids.count > Self.namedIDs ? " and \(ids.count - Self.namedIDs) more" : ""
    return ids.prefix(Self.namedIDs).joined(separator: ", ") + more
  }

  // MARK: What to do

  private func remedy(_ fixes: [Version?]) -> String {
    let branch = Advisories.Branch(server.version)
    guard !fixes.contains(nil), let needed = fixes.compactMap({ $0 }).max() else {
      return "no version of \(branch) has all fixes"
    }
    return "\(max(needed, floor ?? needed)) has the fixes"
  }

  private var floor: Version? {
    advisories.floors.first { $0.product == server.product && $0.branch == Advisories.Branch(server.version) }?.version
  }

  /// Why a fault that the version has may be mended all the same, and how to find out.
  private var doubt: String {
    switch server.origin {
    case .unknown:
      "your distributor may have fixed it without another version: name the package by audit.package"
    case .otherVersion(let package):
      "audit.package names \(package.text), which is another version"
    case .package(let own):
      own.release == nil
        ? "your distributor may have fixed it: no fixes of \(own.package.text) are known here"
        : "your distributor may have fixed it: the file tells nothing of \(own.package.text)"
    }
  }

  /// Fixes that have no number: nil where the newest of the branch is in, and for packages, which have fixes one by one.
  var missingFloor: Found? {
    guard let floor, server.version < floor else { return nil }
    if case .package = server.origin { return nil }
    let isPackaged = advisories.faults.contains { fault in
      fault.packages.values.contains { $0.program == server.version }
    }
    let rest = server.origin == .unknown && !isPackaged ? "" : "; \(doubt)"
    return Found(
      severity: .warning, key: "\(floor)",
      text: "runs \(server.product.rawValue) \(server.version), which lacks security fixes that \(floor) has\(rest)")
  }

  // MARK: End of life

  /// How long before the end it is told, in seconds.
  private static let noticeSeconds = 90 * 86_400.0

  /// - Parameter now: seconds since the epoch.
  func endOfLife(at now: Double) -> Found? {
    let branch = Advisories.Branch(server.version)
    let rows = advisories.lifetimes.filter { $0.product == server.product }
    let name = "\(server.product.rawValue) \(branch)"
    let end: CalendarDay
    let text: String
    if let row = rows.first(where: { $0.branch == branch }) {
      end = row.ended
      text = "runs \(name), which \(now < end.end ? "gets fixes until" : "got its last fix by") \(end)"
    } else if let oldest = rows.min(by: { $0.branch < $1.branch }), branch < oldest.branch, oldest.ended.end <= now {
      end = oldest.ended
      text = "runs \(name), which is older than \(oldest.branch) and gets no fixes"
    } else {
      return nil
    }
    guard now >= end.end - Self.noticeSeconds else { return nil }
    let isOver = now >= end.end
    if case .package(let own) = server.origin {
      guard let support = own.release.flatMap({ release in advisories.supports.first { $0.release == release } }) else {
        return Found(
          severity: .info, key: "\(branch)",
          text: "\(text); whether \(own.package.distribution) still mends it is not known here")
      }
      guard support.ended.end <= now else { return nil }
      return Found(
        severity: .warning, key: "\(branch)", text: "\(text), and \(support.release) by \(support.ended)")
    }
    return Found(severity: isOver ? .warning : .info, key: "\(branch)", text: text)
  }
}

extension DebianVersion {
  var text: String {
    (epoch > 0 ? "\(epoch):" : "") + String(decoding: upstream, as: UTF8.self)
      + (revision.isEmpty ? "" : "-\(String(decoding: revision, as: UTF8.self))")
  }
}
