import Metrics
import Redis

/// A row of the INFO field table: one field of a server and the family that it feeds.
///
/// Two rows may feed one family (a field that was renamed); of two fields in one reply the first stands.
public struct InfoField: Sendable {
  /// The field as the server spells it.
  public let field: String
  /// The family, with its type, unit and help.
  public let family: Family
  let reading: Reading
  let gate: Gate

  /// How the text of a field becomes the value of a sample.
  enum Reading: Sendable {
    /// A number, or a word that stands for one: `ok` and `true` are 1, `err`, `fail` and `false` are 0.
    case number
    /// A number that is divided: microseconds by 1e6 become seconds.
    case divided(by: Double)
    /// A number that is multiplied: KiB by 1024 become bytes.
    case multiplied(by: Double)
    /// `53.15%` or `53.15` becomes 0.5315.
    case percentage
    /// A number where -1 means that there is none.
    case ifNotNegative
  }

  /// The option that must be on.
  enum Gate: Sendable {
    case always, systemMetrics, modules

    var flag: String? {
      switch self {
      case .always: nil
      case .systemMetrics: "`--include-system-metrics`"
      case .modules: "`--include-modules-metrics`"
      }
    }

    func isOpen(_ options: CollectorOptions) -> Bool {
      switch self {
      case .always: true
      case .systemMetrics: options.includesSystemMetrics
      case .modules: options.includesModules
      }
    }
  }

  /// The value of the field's text, or nil when there is none: the family is then absent.
  func value(of text: ArraySlice<UInt8>) -> Double? {
    switch reading {
    case .number: return infoNumber(text)
    case .divided(let divisor): return parseDouble(text).map { $0 / divisor }
    case .multiplied(let factor): return parseDouble(text).map { $0 * factor }
    case .percentage:
      let digits = text.last == UInt8(ascii: "%") ? text.dropLast() : text
      return parseDouble(digits).map { $0 / 100 }
    case .ifNotNegative: return parseDouble(text).flatMap { $0 < 0 ? nil : $0 }
    }
  }
}

extension InfoField {
  /// - Parameters:
  ///   - since: the first version that sends it: `6.2`, `Valkey 8.1`, `KeyDB`, `Azure`, or a module's name.
  ///   - help: one sentence without its end: the source and the field are added.
  static func gauge(
    _ field: String, as name: String, _ unit: Unit = .none, since: String, _ reading: Reading = .number,
    gate: Gate = .always, source: String = "INFO", traits: [Family.Trait] = [], help: String
  ) -> InfoField {
    InfoField(
      field: field,
      family: .gauge(
        name, "\(help) (\(source) \(field)).", unit: unit, traits: traits + Self.traits(since: since, gate)),
      reading: reading, gate: gate)
  }

  static func counter(
    _ field: String, as name: String, _ unit: Unit = .none, since: String, _ reading: Reading = .number,
    gate: Gate = .always, source: String = "INFO", traits: [Family.Trait] = [], help: String
  ) -> InfoField {
    InfoField(
      field: field,
      family: .counter(
        name, "\(help) (\(source) \(field)).", unit: unit, traits: traits + Self.traits(since: since, gate)),
      reading: reading, gate: gate)
  }

  private static func traits(since: String, _ gate: Gate) -> [Family.Trait] {
    [.since(since)] + (gate.flag.map { [.flag($0)] } ?? [])
  }
}

/// A number as INFO prints it, or one of its words for yes and no.
func infoNumber(_ text: ArraySlice<UInt8>) -> Double? {
  if let number = parseDouble(text) { return number }
  return isYes(text).map { $0 ? 1 : 0 }
}
