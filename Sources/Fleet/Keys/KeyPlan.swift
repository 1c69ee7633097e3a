import Config

/// The walks of one pass. However many watches and patterns there are, a database is walked once for all that want any type,
/// and once for each type that some want alone.
struct KeyPlan: Sendable {
  struct Walk: Sendable {
    let database: Int
    /// What SCAN is asked to match; nil for all names.
    let match: [UInt8]?
    /// What SCAN is asked for as TYPE; nil for all types.
    let type: String?
    fileprivate let parts: [Part]
  }

  /// What one watch wants of a walk.
  fileprivate struct Part: Sendable {
    let run: Int
    let globs: [(place: Int, glob: Glob)]
    let meetsEveryKey: Bool
    /// Labels of what the watch looks at by name: a walk does not show it again.
    let namedLabels: Set<String>
  }

  /// A key that a watch wants.
  struct Interest: Sendable, Equatable {
    let run: Int
    let matching: [Int]
  }

  let walks: [Walk]

  /// - Parameters:
  ///   - hasOneDatabase: whatever a pattern says.
  ///   - databases: where keys are that match no pattern.
  init(_ watches: [any KeyWatch], hasOneDatabase: Bool, databases: [Int] = []) {
    func database(_ pattern: KeyPattern) -> Int { hasOneDatabase ? 0 : pattern.database }
    var walks: [Walk] = []
    var types: [String?] = []
    for watch in watches where !types.contains(watch.type) { types.append(watch.type) }
    for type in types {
      let own = watches.enumerated().filter { $0.element.type == type }
      var numbers = Set(own.flatMap { $0.element.globs.map(database) })
      if own.contains(where: { $0.element.meetsEveryKey }) { numbers.formUnion(hasOneDatabase ? [0] : databases) }
      for number in numbers.sorted() {
        var patterns: [[UInt8]] = []
        let parts = own.compactMap { index, watch -> Part? in
          let globs = watch.globs.enumerated().filter { database($0.element) == number }
          guard watch.meetsEveryKey || !globs.isEmpty else { return nil }
          patterns += watch.meetsEveryKey ? [[UInt8(ascii: "*")]] : globs.map(\.element.bytes)
          return Part(
            run: index, globs: globs.map { ($0.offset, Glob($0.element.bytes)) }, meetsEveryKey: watch.meetsEveryKey,
            namedLabels: Set(watch.names.filter { database($0) == number }.map { keyLabel($0.bytes) }))
        }
        walks.append(Walk(database: number, match: ScanMatch.covering(patterns), type: type, parts: parts))
      }
    }
    self.walks = walks
  }
}

extension KeyPlan.Walk {
  /// Who wants the key.
  func interests(in key: [UInt8]) -> [KeyPlan.Interest] {
    parts.compactMap { part in
      let matching = part.globs.compactMap { $0.glob.matches(key[...]) ? $0.place : nil }
      guard part.meetsEveryKey || !matching.isEmpty else { return nil }
      if !part.namedLabels.isEmpty, part.namedLabels.contains(keyLabel(key)) { return nil }
      return KeyPlan.Interest(run: part.run, matching: matching)
    }
  }

  /// Who has a part in the walk.
  var runs: [Int] { parts.map(\.run) }
}
