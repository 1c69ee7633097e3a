import Config
import Metrics

/// What one walk over a database is for: which names to count, to look at, to measure. However many patterns there are,
/// they share the walk.
struct KeyTally: Sendable {
  /// What is to be done about the names of one page of SCAN.
  struct Page: Sendable, Equatable {
    var keys: [[UInt8]] = []
    var streams: [[UInt8]] = []
    /// Names whose memory the key groups need.
    var measured: [[UInt8]] = []
  }

  let database: Int
  /// What SCAN is asked to match, or nil for all names: a single pattern is the server's to match.
  let match: [UInt8]?
  private let keys: [Glob]
  private let streams: [Glob]
  private var counts: [(label: String, glob: Glob, count: Double)]
  private var groups: KeyGroupTable?
  /// Labels of what is looked up by name: the walk must not export the same series again.
  private let lookupKeys: Set<String>
  private let lookupStreams: Set<String>

  /// - Parameter showsKeys: whether keys and streams are looked at at all.
  init(database: Int, _ options: KeyWorkOptions, patterns: [LuaPattern], showsKeys: Bool) {
    // A cluster has one database, whatever the pattern says.
    func mine(_ selectors: [KeyPattern]) -> [KeyPattern] {
      selectors.filter { options.isCluster || $0.database == database }
    }
    self.database = database
    let keys = showsKeys ? mine(options.scanKeys) : []
    let streams = showsKeys ? mine(options.scanStreams) : []
    let counts = mine(options.countKeys)
    self.keys = keys.map { Glob($0.bytes) }
    self.streams = streams.map { Glob($0.bytes) }
    self.counts = counts.map { (keyLabel($0.bytes), Glob($0.bytes), 0) }
    groups = patterns.isEmpty ? nil : KeyGroupTable(patterns: patterns)
    lookupKeys = Set(mine(options.lookupKeys).map { keyLabel($0.bytes) })
    lookupStreams = Set(mine(options.lookupStreams).map { keyLabel($0.bytes) })
    let wanted = Set((keys + streams + counts).map(\.bytes))
    match = patterns.isEmpty && wanted.count == 1 ? wanted.first : nil
  }

  /// Whether the walk has any purpose.
  var hasWork: Bool { !keys.isEmpty || !streams.isEmpty || !counts.isEmpty || groups != nil }

  var abandonedMatches: Int { groups?.abandonedMatches ?? 0 }

  /// Counts the names of a page. A name that stands in the page twice counts once; SCAN may also return one in two
  /// pages, which is not noticed, since that would mean to remember every name.
  mutating func take(_ names: [[UInt8]]) -> Page {
    var page = Page()
    var seen: Set<[UInt8]> = []
    for name in names where seen.insert(name).inserted {
      for index in counts.indices where counts[index].glob.matches(name[...]) { counts[index].count += 1 }
      if keys.contains(where: { $0.matches(name[...]) }), !lookupKeys.contains(keyLabel(name)) {
        page.keys.append(name)
      }
      if streams.contains(where: { $0.matches(name[...]) }), !lookupStreams.contains(keyLabel(name)) {
        page.streams.append(name)
      }
      if groups != nil { page.measured.append(name) }
    }
    return page
  }

  mutating func add(_ name: [UInt8], memoryBytes: Double?) { groups?.add(name, memoryBytes: memoryBytes) }

  /// Adds counts and groups.
  func add(groupLimit: Int, into sink: inout SampleSink) {
    for (label, _, count) in counts {
      sink.add(KeyFamilies.count, count, [.text(databaseLabel(database)), .text(label)])
    }
    groups?.add(database: database, limit: groupLimit, into: &sink)
  }
}
