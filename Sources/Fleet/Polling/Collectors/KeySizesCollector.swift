import Metrics
import Redis

/// How many keys are large, by type: exact, from the histograms that Redis 8 keeps of sizes and lengths (section Keysizes).
struct KeySizesCollector: Collector {
  let name = "key_sizes"
  var families: [Family] { [Self.large] }
  var readsInfoOnly: Bool { true }

  /// Powers of two as the server's bins are, so that nothing is estimated.
  static let bounds = [1 << 10, 1 << 16, 1 << 20, 1 << 24]
  private static let types: [(suffix: String, type: LabelValue)] = [
    ("_distrib_strings_sizes", "string"), ("_distrib_lists_items", "list"), ("_distrib_sets_items", "set"),
    ("_distrib_zsets_items", "zset"), ("_distrib_hashes_items", "hash"),
  ]

  private static let large = Family.gauge(
    "db_large_keys",
    "Keys of the type with at least as many bytes (strings) or elements (others) as at_least says; absent for a type without keys (INFO dbN_distrib_…).",
    labels: ["db", "type", "at_least"],
    traits: [.since("Redis 8.0"), .values(bounds.map(String.init), of: "at_least")])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for field in poll.info.fields(inSection: InfoSection.keySizes) {
      let name = poll.info.name(of: field)
      guard let underscore = name.firstIndex(of: UInt8(ascii: "_")), isNumbered(name[..<underscore], prefix: "db"),
        let type = Self.types.first(where: { name[underscore...].elementsEqual($0.suffix.utf8) })?.type,
        let counts = Self.counts(poll.info.value(of: field))
      else { continue }
      let db = LabelValue(name[..<underscore])
      for (bound, count) in zip(Self.bounds, counts) {
        sink.add(Self.large, count, [db, type, .text(String(bound))])
      }
    }
  }

  /// How many keys lie at or above each of ``bounds``; nil where a bin cannot be read, since the sums would be too small.
  ///
  /// - Parameter bins: `1=90,16=5000,256K=1`: at the lower end of each bin, the keys in it.
  static func counts(_ bins: ArraySlice<UInt8>) -> [Double]? {
    var counts = [Double](repeating: 0, count: bounds.count)
    for (key, text) in InfoPairs(bins) {
      guard let start = size(key), let count = parseDouble(text), count >= 0, count.isFinite else { return nil }
      for (index, bound) in bounds.enumerated() where start >= Double(bound) { counts[index] += count }
    }
    return counts
  }

  /// `16`, `256K`, `2M`.
  private static func size(_ text: ArraySlice<UInt8>) -> Double? {
    guard let last = text.last else { return nil }
    let factor: Double =
      switch last {
      case UInt8(ascii: "K"): 0x1p10
      case UInt8(ascii: "M"): 0x1p20
      case UInt8(ascii: "G"): 0x1p30
      case UInt8(ascii: "T"): 0x1p40
      default: 1
      }
    return parseInteger(factor == 1 ? text : text.dropLast()).map { Double($0) * factor }
  }
}
