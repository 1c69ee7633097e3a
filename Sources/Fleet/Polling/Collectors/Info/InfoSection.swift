import Redis

/// Names of INFO sections that are read as a whole.
enum InfoSection {
  static let commandStats = "Commandstats"
  static let errorStats = "Errorstats"
  static let latencyStats = "Latencystats"
  static let keyspace = "Keyspace"
  static let keySizes = "Keysizes"
  static let replication = "Replication"
  static let sentinel = "Sentinel"
  /// What Valkey repeats there is read from CLUSTER INFO.
  static let clusterInfo = "Cluster Info"

  /// Sections whose lines the field table need not look at; the first two have hundreds.
  static let withOwnCollector: Set<String> = [
    commandStats, latencyStats, errorStats, keyspace, keySizes, clusterInfo,
  ]
}

extension InfoText {
  /// The fields under the first heading of that name.
  ///
  /// - Complexity: logarithmic in the number of fields, since sections follow one another.
  func fields(inSection name: String) -> ArraySlice<Field> {
    guard let number = section(name) else { return [] }
    let start = firstField { $0.section >= number }
    let end = firstField { $0.section > number }
    return fields[start..<end]
  }

  func hasSection(_ name: String) -> Bool { section(name) != nil }

  /// By its name however it is written.
  private func section(_ name: String) -> Int32? {
    let index =
      sections.firstIndex(of: name)
      ?? sections.firstIndex { $0.utf8.count == name.utf8.count && $0.lowercased() == name.lowercased() }
    return index.map { Int32($0) }
  }

  /// The fields of the section Replication; all, where nothing has that heading.
  var replicationFields: ArraySlice<Field> {
    let own = fields(inSection: InfoSection.replication)
    return own.isEmpty ? fields[...] : own
  }

  /// How old the numbers of keys are. Kvrocks counts keys only when it is asked to, and says so in a remark.
  enum KeyCounting { case current, old, never }

  var keyCounting: KeyCounting {
    if remarks.contains(where: { $0.hasPrefix("WARN: DBSIZE SCAN never") }) { return .never }
    return remarks.contains { $0.hasPrefix("Last DBSIZE SCAN") } ? .old : .current
  }

  private func firstField(where holds: (Field) -> Bool) -> Int {
    var low = fields.startIndex
    var high = fields.endIndex
    while low < high {
      let middle = (low + high) / 2
      if holds(fields[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
