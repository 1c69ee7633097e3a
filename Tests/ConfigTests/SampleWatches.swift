@testable import Config

/// Made-up watches over keys, which the fixtures are read with: the real ones belong to a module above.
enum SampleWatches {
  static let all: [any ConfiguredWatch.Type] = [Stuck.self, Rates.self]

  /// One block; on by itself for queues, and where patterns are given.
  struct Stuck: ConfiguredWatch {
    static let block = "stuck"
    static let meaning = "Keys that are stuck."
    let isOn: Bool
    let patterns: [KeyPattern]
    let maxKeys: Int
    let age: Duration

    init(_ fields: WatchFields) {
      isOn = fields.enabled(
        default: fields.kind == .queue || fields.isGiven("patterns"), "Whether it is on; given patterns switch it on.")
      patterns = fields.patterns("patterns", default: "stuck:*", "Keys that may be stuck.")
      maxKeys = fields.count("max_keys", 1...1_000_000, default: 10_000, "Matching keys looked at in a walk.")
      age = fields.duration("age", .positive, default: .seconds(60), "How old a stuck one is.")
      for pattern in patterns where !pattern.isGlob {
        fields.report("patterns", value: pattern.text, problem: "is no glob", hint: "use a *, as in stuck:*")
      }
    }
  }

  /// A list of named blocks.
  struct Rates: ConfiguredWatch {
    static let block = "rates"
    static let meaning = "Limits that applications count in keys."
    static let listLimit: Int? = 2
    let isOn: Bool
    let name: String
    let isStrict: Bool

    init(_ fields: WatchFields) {
      name = fields.name
      isOn = fields.enabled()
      isStrict = fields.flag("strict", default: false, "Whether each refusal counts.")
    }
  }
}

extension FleetConfig {
  static func parse(_ bytes: [UInt8], file: String) throws(ConfigErrors) -> FleetConfig {
    try parse(bytes, file: file, watches: SampleWatches.all)
  }

  static var keys: [ConfigKey] { keys(SampleWatches.all) }
  static var referenceText: String { referenceText(watches: SampleWatches.all) }
}
