/// What was found at the same places of the servers' tables, to be compared with what is there later. Pure.
///
/// Two samples at the same places tell a change of 3 % that two at fresh places do not: most keys are the same ones, and what
/// they have in common cancels out.
struct KeyPanel: Sendable {
  /// One database of one process of a server.
  struct Part: Sendable {
    let keyTotal: Double
    let areAllKeys: Bool
    /// Keys of each window, in the order of the cursors.
    let keyCounts: [Float]
    /// By prefix, the bytes in each window that holds some.
    let bytes: [String: [(window: Int32, bytes: Float)]]

    /// Large keys that are known by name, by prefix: what they take, and which they are.
    let certain: [String: (bytes: Double, keys: Set<UInt64>)]
    /// Whether large keys are no part of the windows.
    let leavesLargeOut: Bool
    let hasWholeCensus: Bool

    fileprivate var seenCount: Double { keyCounts.reduce(0) { $0 + Double($1) } }

    fileprivate func total(_ prefix: String) -> Double {
      (bytes[prefix] ?? []).reduce(0) { $0 + Double($1.bytes) }
    }

    /// What each window adds to the estimate beyond its share: N(y − R·n)/n.
    fileprivate func residuals(_ prefix: String) -> [Double] {
      let seen = seenCount
      guard seen > 0 else { return Array(repeating: 0, count: keyCounts.count) }
      let ratio = total(prefix) / seen
      var amounts = keyCounts.map { -ratio * Double($0) }
      for (window, bytes) in bytes[prefix] ?? [] { amounts[Int(window)] += Double(bytes) }
      return amounts.map { keyTotal * $0 / seen }
    }

    fileprivate func estimate(_ prefix: String) -> Double {
      let seen = seenCount
      return seen > 0 ? keyTotal * total(prefix) / seen : 0
    }
  }

  /// By the id of the stratum.
  let parts: [String: Part]
  /// Prefixes that were told apart.
  let prefixes: Set<String>

  /// - Parameter prefixes: those that are compared.
  init(_ sample: SampledKeys, prefixes: Set<String>) {
    let templates = sample.table.templates()
    var numbers = [Int32](repeating: 0, count: sample.windows.count)
    var counts: [[Float]] = sample.strata.map { _ in [] }
    for (window, stratum) in sample.windows.enumerated() {
      numbers[window] = Int32(counts[stratum].count)
      counts[stratum].append(0)
    }
    var bytes: [[String: [Int32: Float]]] = sample.strata.map { _ in [:] }
    for key in sample.keys where !sample.spoiled.contains(key.window) {
      let (stratum, number) = (sample.windows[Int(key.window)], numbers[Int(key.window)])
      counts[stratum][Int(number)] += 1
      let template = templates[Int(key.path)]
      guard prefixes.contains(template), let size = key.bytes else { continue }
      bytes[stratum][template, default: [:]][number, default: 0] += Float(size)
    }
    var certain: [[String: (bytes: Double, keys: Set<UInt64>)]] = sample.strata.map { _ in [:] }
    for key in sample.certain {
      let template = templates[Int(key.path)]
      guard prefixes.contains(template) else { continue }
      certain[key.stratum][template, default: (0, [])].bytes += key.bytes
      certain[key.stratum][template, default: (0, [])].keys.insert(key.hash)
    }
    self.prefixes = prefixes
    parts = sample.strata.indices.reduce(into: [:]) { parts, place in
      let stratum = sample.strata[place]
      parts[stratum.id] = Part(
        keyTotal: stratum.sampledTotal, areAllKeys: stratum.areAllKeys, keyCounts: counts[place],
        bytes: bytes[place].mapValues { windows in
          windows.map { (window: $0.key, bytes: $0.value) }.sorted { $0.window < $1.window }
        }, certain: certain[place], leavesLargeOut: stratum.largeBytes != nil,
        hasWholeCensus: stratum.hasWholeCensus)
    }
  }

  /// Bytes that it takes, about.
  var heldBytes: Int {
    parts.values.reduce(0) { sum, part in
      sum + 4 * part.keyCounts.count + part.bytes.values.reduce(0) { $0 + 8 * $1.count + 64 }
        + part.certain.values.reduce(0) { $0 + 64 + 16 * $1.keys.count }
    }
  }

  /// The most that a panel of a sample of so many keys takes.
  static func bytes(keys: Int) -> Int { 10 * keys }

  /// Whether both are of the same servers.
  func looksAtTheSame(as other: KeyPanel) -> Bool { Set(parts.keys) == Set(other.parts.keys) }

  /// Whether large keys that came to be known since were there before, for all that anybody knows.
  func mayHaveFound(_ prefix: String, since earlier: KeyPanel) -> Bool {
    parts.contains { id, now in
      guard let before = earlier.parts[id] else { return false }
      if now.leavesLargeOut != before.leavesLargeOut { return true }
      guard now.leavesLargeOut, !before.hasWholeCensus else { return false }
      return (now.certain[prefix]?.keys ?? []) != (before.certain[prefix]?.keys ?? [])
    }
  }

  /// How much more memory the keys of a prefix take than at an earlier look at the same places.
  ///
  /// - Returns: nil where one of the looks did not tell the prefix apart, large keys were not all known, or the servers or places are not the same.
  func growth(of prefix: String, since earlier: KeyPanel) -> SampledAmount? {
    guard prefixes.contains(prefix), earlier.prefixes.contains(prefix), !parts.isEmpty,
      looksAtTheSame(as: earlier), !mayHaveFound(prefix, since: earlier)
    else { return nil }
    var (change, variance) = (0.0, 0.0)
    for (id, now) in parts {
      guard let before = earlier.parts[id] else { return nil }
      change += now.estimate(prefix) - before.estimate(prefix)
      change += (now.certain[prefix]?.bytes ?? 0) - (before.certain[prefix]?.bytes ?? 0)
      if now.areAllKeys, before.areAllKeys { continue }
      guard now.keyCounts.count == before.keyCounts.count, now.keyCounts.count > 1 else { return nil }
      let count = Double(now.keyCounts.count)
      let squares = zip(before.residuals(prefix), now.residuals(prefix)).reduce(0.0) { sum, pair in
        sum + (pair.0 - pair.1) * (pair.0 - pair.1)
      }
      variance += count / (count - 1) * squares
    }
    return SampledAmount(change, variance: variance, isSigned: true)
  }
}
