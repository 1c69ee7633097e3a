import Runtime

/// The type of a metric family, as the exposition formats name it.
public enum MetricType: String, Sendable, CaseIterable {
  case counter, gauge, histogram, summary, untyped
}

/// What one number of a family measures, in the base unit that its name ends with.
public enum Unit: String, Sendable {
  case none = ""
  case bytes, seconds, ratio, percent
  case microseconds, milliseconds
}

/// A metric family: everything about a metric that does not change from sample to sample.
///
/// Names are written without the namespace (`up`, not `redis_up`): the namespace is a setting of the page.
/// Every family is interned by name in ``FamilyTable``, so that two definitions of one name are the same object.
public final class Family: Sendable {
  /// The name, without the namespace when `namespaced`.
  public let name: String
  public let type: MetricType
  public let unit: Unit
  /// Label names in the order in which samples give their values.
  public let labelNames: [String]
  /// One sentence; for a family that comes from Redis it ends with the original field's name.
  public let help: String
  /// Whether the page's namespace (`redis_`) is put before the name.
  public let namespaced: Bool
  public let traits: [Trait]

  /// The dense number of the family in ``FamilyTable``.
  let id: Int
  /// `name="` for each label, ready to be copied.
  let labelPrefixes: [[UInt8]]
  let helpBytes: [UInt8]
  let isCounterWithTotal: Bool

  fileprivate init(
    id: Int, name: String, type: MetricType, unit: Unit, labelNames: [String], help: String,
    namespaced: Bool, traits: [Trait]
  ) {
    self.id = id
    self.name = name
    self.type = type
    self.unit = unit
    self.labelNames = labelNames
    self.help = help
    self.namespaced = namespaced
    self.traits = traits
    self.labelPrefixes = labelNames.map { Array("\($0)=\"".utf8) }
    self.helpBytes = escapedHelp(help)
    self.isCounterWithTotal = type == .counter && name.hasSuffix("_total")
  }
}

extension Family {
  public static func gauge(
    _ name: String, _ help: String, labels: [String] = [], unit: Unit = .none, traits: [Trait] = []
  ) -> Family {
    FamilyTable.shared.intern(name, .gauge, unit, labels, help, namespaced: true, traits: traits)
  }

  public static func counter(
    _ name: String, _ help: String, labels: [String] = [], unit: Unit = .none, traits: [Trait] = []
  ) -> Family {
    FamilyTable.shared.intern(name, .counter, unit, labels, help, namespaced: true, traits: traits)
  }

  /// A histogram; its samples carry the label `le` after `labels`.
  public static func histogram(
    _ name: String, _ help: String, labels: [String] = [], unit: Unit = .none, traits: [Trait] = []
  ) -> Family {
    FamilyTable.shared.intern(name, .histogram, unit, labels, help, namespaced: true, traits: traits)
  }

  /// A summary; its quantile samples carry the label `quantile` after `labels`.
  public static func summary(
    _ name: String, _ help: String, labels: [String] = [], unit: Unit = .none, traits: [Trait] = []
  ) -> Family {
    FamilyTable.shared.intern(name, .summary, unit, labels, help, namespaced: true, traits: traits)
  }

  /// A family whose name is fixed by convention outside the namespace, such as `process_open_fds`.
  public static func bare(
    _ name: String, _ type: MetricType, _ help: String, labels: [String] = [], unit: Unit = .none
  ) -> Family {
    FamilyTable.shared.intern(name, type, unit, labels, help, namespaced: false)
  }

  /// A gauge named by what a server sent.
  ///
  /// - Returns: nil once ``FamilyTable/dynamicLimit`` such names exist: a hostile server must not grow the table for ever.
  public static func passthroughGauge(_ name: String, help: String) -> Family? {
    FamilyTable.shared.internDynamic(name, help: help)
  }
}

extension Family {
  /// What is known of a family besides its shape. Where one is defined twice, the first definition stands.
  public enum Trait: Sendable, Equatable {
    /// A change of it is an event: rules that read it need not wait for their turn.
    case event
    /// A gauge by type, as redis_exporter has it, whose value only grows until the server restarts.
    case growing
    /// 0 stands for no limit.
    case unlimitedAtZero
    /// Every value that a label can have.
    case values([String], of: String)
    /// The flag, or flags, without which it is absent, as a document names them.
    case flag(String)
    /// The first version of a server that sends it.
    case since(String)
  }

  public var isEvent: Bool { traits.contains(.event) }
  public var isGrowing: Bool { traits.contains(.growing) }
  public var isUnlimitedAtZero: Bool { traits.contains(.unlimitedAtZero) }
  /// Empty where it needs none.
  public var flag: String { traits.lazy.compactMap { if case .flag(let text) = $0 { text } else { nil } }.first ?? "" }
  /// Empty where any version sends it, or it does not come from a server.
  public var since: String {
    traits.lazy.compactMap { if case .since(let text) = $0 { text } else { nil } }.first ?? ""
  }
  /// By label, for those whose values are all known.
  public var labelValues: [String: Set<String>] {
    traits.reduce(into: [:]) { if case .values(let values, let label) = $1 { $0[label] = Set(values) } }
  }
}

/// The process's table of families: gives each a number and knows their order by name.
final class FamilyTable: Sendable {
  static let shared = FamilyTable()
  /// How many families may be named by servers.
  static let dynamicLimit = 512

  private struct State {
    var byName: [String: Family] = [:]
    var byID: [Family] = []
    var dynamicCount = 0
    /// Names that came from servers alone.
    var dynamicNames: Set<String> = []
    var order: FamilyOrder?
  }
  private let state = Lock(State())

  func intern(
    _ name: String, _ type: MetricType, _ unit: Unit, _ labels: [String], _ help: String,
    namespaced: Bool, traits: [Family.Trait] = [], isDynamic: Bool = false
  ) -> Family {
    let key = namespaced ? name : ":" + name
    return state.withLock { state in
      if let known = state.byName[key] {
        let isOfTheCode = isDynamic || !state.dynamicNames.contains(key)
        if known.type == type && known.labelNames == labels && isOfTheCode { return known }
        // What a server named must not keep the code from naming a family of its own, with its traits.
        precondition(state.dynamicNames.remove(key) != nil, "family \(name) is defined twice, differently")
      }
      let family = Family(
        id: state.byID.count, name: name, type: type, unit: unit, labelNames: labels, help: help,
        namespaced: namespaced, traits: traits)
      state.byName[key] = family
      state.byID.append(family)
      state.order = nil
      return family
    }
  }

  func internDynamic(_ name: String, help: String) -> Family? {
    let mayAdd = state.withLock { state -> Bool? in
      if state.byName[name] != nil { return nil }
      guard state.dynamicCount < Self.dynamicLimit else { return false }
      state.dynamicCount += 1
      state.dynamicNames.insert(name)
      return true
    }
    switch mayAdd {
    case nil:
      // A known family of another shape keeps its shape; the field is then not passed through.
      let known = state.withLock { $0.byName[name] }
      return known?.type == .gauge && known?.labelNames.isEmpty == true ? known : nil
    case false?: return nil
    case true?: return intern(name, .gauge, .none, [], help, namespaced: true, isDynamic: true)
    }
  }

  /// The order of all families known so far. The relative order of two families never changes.
  var order: FamilyOrder {
    state.withLock { state in
      if let order = state.order { return order }
      let order = FamilyOrder(state.byID)
      state.order = order
      return order
    }
  }
}

/// All families by name, and the place of each.
final class FamilyOrder: Sendable {
  let families: [Family]
  /// `ranks[family.id]` is the family's index in `families`.
  let ranks: [Int32]

  init(_ unordered: [Family]) {
    families = unordered.sorted {
      $0.namespaced == $1.namespaced ? $0.name < $1.name : !$0.namespaced
    }
    var ranks = [Int32](repeating: 0, count: unordered.count)
    for (rank, family) in families.enumerated() { ranks[family.id] = Int32(rank) }
    self.ranks = ranks
  }
}

/// HELP text with backslash and line feed escaped.
private func escapedHelp(_ help: String) -> [UInt8] {
  var bytes: [UInt8] = []
  for byte in help.utf8 {
    switch byte {
    case UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
    case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
    default: bytes.append(byte)
    }
  }
  return bytes
}
