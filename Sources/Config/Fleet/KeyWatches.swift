/// The watches over a workload's keys, as the block `watches` sets them.
public struct KeyWatches: Sendable, Equatable {
  /// From the start of a walk to the start of the next; one that takes longer is followed by the next at once.
  public let interval: Duration
  /// Where servers are asked to tell of locks and circuits as they change.
  public let follow: Follow
  /// Every watch with its settings, those that are off among them, in the order of the catalogue.
  public let all: [any ConfiguredWatch]
  /// Their settings as the file would have them.
  let blocks: [Block]

  /// Which servers are asked to name each lock and circuit that changes.
  public enum Follow: String, CaseIterable, Sendable {
    case off, replica
    /// Masters as well, where no replica keeps up.
    case any
  }

  /// What one watch, or one list of watches, is set to.
  struct Block: Sendable, Equatable {
    let key: String
    let isList: Bool
    var entries: [[WatchFields.Setting]] = []
  }

  public var on: [any ConfiguredWatch] { all.filter(\.isOn) }

  /// Every text that the settings hold, such as names of streams.
  public var texts: [String] { blocks.flatMap(\.entries).flatMap { $0 }.flatMap(\.texts) }

  init(_ fields: MappingReader?, kind: WorkloadKind, watches: [any ConfiguredWatch.Type]) {
    interval =
      fields?.value(
        "interval", .duration(.extended, .atLeast(.seconds(1))), default: Self.defaultInterval,
        "From the start of a walk over the keys to the start of the next.")
      ?? Self.defaultInterval
    let follow =
      fields?.value(
        "follow", .oneOf(Follow.self, noun: "a way to follow"), default: .off,
        "Whether servers name each lock and circuit as it changes: replicas alone, or `any`, masters as well; see Following."
      )
      ?? .off
    self.follow = follow
    var all: [any ConfiguredWatch] = []
    blocks = watches.map { type in
      var block = Block(key: type.block, isList: type.listLimit != nil)
      for (watch, settings) in Self.read(type, fields, kind, isFollowed: follow != .off) {
        all.append(watch)
        block.entries.append(settings)
      }
      return block
    }
    self.all = all
  }

  private static func read(
    _ type: any ConfiguredWatch.Type, _ fields: MappingReader?, _ kind: WorkloadKind, isFollowed: Bool
  ) -> [(any ConfiguredWatch, [WatchFields.Setting])] {
    func make(_ fields: MappingReader?) -> (any ConfiguredWatch, [WatchFields.Setting]) {
      let reader = WatchFields(fields, kind: kind, isFollowed: isFollowed)
      if type.listLimit != nil { reader.readName() }
      let watch = type.init(reader)
      return (watch, reader.settings)
    }
    guard let limit = type.listLimit else { return [fields?.mapping(type.block, type.meaning, make) ?? make(nil)] }
    let entries = fields?.mappings(type.block, type.meaning, make) ?? []
    let names = entries.compactMap { $0.1.first?.text }
    if entries.count > limit { fields?.report(type.block, problem: "has more than \(limit) entries") }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }), !twice.isEmpty {
      fields?.report(type.block, value: twice, problem: "names two entries", hint: "give each a name of its own")
    }
    return entries
  }

  private static let defaultInterval: Duration = .seconds(15)

  public static func == (left: KeyWatches, right: KeyWatches) -> Bool {
    left.interval == right.interval && left.follow == right.follow && left.blocks == right.blocks
  }
}

/// A watch over keys that `redline.yml` can set.
///
/// What it asks of its block when it is made is at once what is read, what the reference lists and what the resolved text
/// shows: a setting is one line.
public protocol ConfiguredWatch: Sendable {
  /// Its key below `watches`.
  static var block: String { get }
  /// What it is about, for the reference.
  static var meaning: String { get }
  /// nil for one block, which stands with its defaults where it is left out; else the most entries of a list of blocks,
  /// each with a `name` of its own, which is empty where it is left out.
  static var listLimit: Int? { get }

  var isOn: Bool { get }

  init(_ fields: WatchFields)
}

extension ConfiguredWatch {
  public static var listLimit: Int? { nil }
}

/// The settings of one watch: reads each with its default, and keeps how the file would have it.
///
/// Not to be kept after the initializer that it was given to.
public final class WatchFields {
  struct Setting: Sendable, Equatable {
    let key: String
    var text = ""
    /// nil for a single value.
    var list: [String]?
    /// A list of blocks; nil for anything else.
    var entries: [[Setting]]?

    var texts: [String] { entries?.flatMap { $0 }.flatMap(\.texts) ?? list ?? [text] }
  }

  public let kind: WorkloadKind
  /// Of an entry of a list; empty for a block.
  public private(set) var name = ""
  /// Whether servers are asked to name the keys as they change.
  let isFollowed: Bool
  /// nil where the block is left out.
  private let fields: MappingReader?
  private(set) var settings: [Setting] = []

  init(_ fields: MappingReader?, kind: WorkloadKind, isFollowed: Bool = false) {
    self.fields = fields
    self.kind = kind
    self.isFollowed = isFollowed
  }

  func readName() {
    name = fields?.required("name", .plainName, "Tells it from the other entries, in labels too.") ?? ""
    settings.append(Setting(key: "name", text: name))
  }

  /// Whether something is written there.
  public func isGiven(_ key: String) -> Bool {
    fields.map { $0.contains(key) && !$0.hasEmptyList(key) } ?? false
  }

  /// The setting `enabled`.
  public func enabled(default: Bool = true, _ meaning: String = "Whether it is on.") -> Bool {
    flag("enabled", default: `default`, meaning)
  }

  public func flag(_ key: String, default: Bool, _ meaning: String) -> Bool {
    value(key, .bool, `default`, meaning) { $0 ? "true" : "false" }
  }

  public func count(_ key: String, _ range: ClosedRange<Int>, default: Int, _ meaning: String) -> Int {
    value(key, .int(range), `default`, meaning, String.init)
  }

  public func duration(_ key: String, _ range: DurationRange, default: Duration, _ meaning: String) -> Duration {
    value(key, .duration(.extended, range), `default`, meaning, durationText)
  }

  /// A number of something that has none where it is left out.
  public func count(_ key: String, _ range: ClosedRange<Int>, _ meaning: String) -> Int? {
    optional(key, .int(range), meaning, String.init)
  }

  /// A duration that is none where it is left out.
  public func duration(_ key: String, _ range: DurationRange, _ meaning: String) -> Duration? {
    optional(key, .duration(.extended, range), meaning, durationText)
  }

  /// One of several words.
  ///
  /// - Parameters:
  ///   - noun: completes `is not …`.
  ///   - default: nil where a word must be given.
  public func word<Word: CaseIterable & RawRepresentable<String> & Sendable>(
    _ key: String, _ noun: String, default: Word?, _ meaning: String
  ) -> Word {
    let type = ScalarType<Word>.oneOf(Word.self, noun: noun)
    guard `default` == nil else { return value(key, type, `default` ?? type.placeholder, meaning, \.rawValue) }
    let word = fields?.required(key, type, meaning) ?? type.placeholder
    settings.append(Setting(key: key, text: word.rawValue))
    return word
  }

  /// Texts that are no names of keys.
  ///
  /// - Parameter default: stands where none are given.
  public func texts(_ key: String, default: String, _ meaning: String) -> [String] {
    let given = fields?.list(key, of: .nonEmptyString, meaning, shown: `default`) ?? []
    settings.append(Setting(key: key, list: given.isEmpty ? [`default`] : given))
    return given.isEmpty ? [`default`] : given
  }

  /// Blocks of settings below one key.
  public func entries<Entry>(_ key: String, _ meaning: String, _ read: (WatchFields) -> Entry) -> [Entry] {
    let found = fields?.mappings(key, meaning) { reader in
      let fields = WatchFields(reader, kind: kind, isFollowed: isFollowed)
      return (entry: read(fields), settings: fields.settings)
    }
    settings.append(Setting(key: key, entries: found?.map(\.settings) ?? []))
    return found?.map(\.entry) ?? []
  }

  /// One name or glob of keys, which must be given.
  public func pattern(_ key: String, _ meaning: String) -> KeyPattern {
    let pattern = fields?.required(key, .keyPattern, meaning) ?? ScalarType.keyPattern.placeholder
    settings.append(Setting(key: key, text: pattern.listText))
    return pattern
  }

  /// Names and globs of keys; at least one must be given.
  public func patterns(_ key: String, _ meaning: String) -> [KeyPattern] {
    let patterns = fields?.list(key, of: .keyPattern, meaning) ?? []
    if patterns.isEmpty { report(key, problem: "is missing") }
    settings.append(Setting(key: key, list: patterns.map(\.listText)))
    return patterns
  }

  /// Names and globs of keys.
  ///
  /// - Parameter default: stands where none are given.
  public func patterns(_ key: String, default: String, _ meaning: String) -> [KeyPattern] {
    let given = fields?.list(key, of: .keyPattern, meaning, shown: `default`) ?? []
    let patterns = given.isEmpty ? [KeyPattern(database: 0, bytes: Array(`default`.utf8))] : given
    settings.append(Setting(key: key, list: patterns.map(\.listText)))
    return patterns
  }

  /// Notes what cannot be followed: a server tells keys apart by how their names begin.
  public func checkFollowing(_ key: String, _ patterns: [KeyPattern]) {
    guard isFollowed, let open = patterns.first(where: { $0.literalPrefix.isEmpty }) else { return }
    report(
      key, value: open.text, problem: "cannot be followed, since it begins with a wildcard",
      hint: "let it begin with what all names have in common, as in lock:*, or set watches.follow to off")
  }

  /// Notes that a setting is wrong for a reason that its type does not know.
  public func report(_ key: String, value: String? = nil, problem: String, hint: String? = nil) {
    fields?.report(key, value: value, problem: problem, hint: hint)
  }

  private func value<Value: Sendable>(
    _ key: String, _ type: ScalarType<Value>, _ default: Value, _ meaning: String, _ text: (Value) -> String
  ) -> Value {
    let value = fields?.value(key, type, default: `default`, meaning) ?? `default`
    settings.append(Setting(key: key, text: text(value)))
    return value
  }

  private func optional<Value: Sendable>(
    _ key: String, _ type: ScalarType<Value>, _ meaning: String, _ text: (Value) -> String
  ) -> Value? {
    let value = fields?.optional(key, type, meaning)
    if let value { settings.append(Setting(key: key, text: text(value))) }
    return value
  }
}

extension ScalarType<KeyPattern> {
  /// One pattern as the check-keys flags write it: `lock:*`, `db3=lock:*`.
  static var keyPattern: ScalarType {
    ScalarType(placeholder: KeyPattern(database: 0, bytes: [UInt8(ascii: "*")]), name: "key pattern") {
      text throws(Mismatch) in
      let patterns = try KeyPattern.list(text)
      guard patterns.count == 1, !text.contains(",") else {
        throw Mismatch("is not one pattern", hint: "write one a line, with %2C for a comma in a key")
      }
      return patterns[0]
    }
  }
}

extension KeyPattern {
  /// The pattern as `list` reads it.
  fileprivate var listText: String {
    let plain = Set("*?[]^{}:_-./!|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = database == 0 ? [] : Array("db\(database)=".utf8)
    for byte in bytes {
      text += plain.contains(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
