import Runtime

/// The HELP and TYPE lines and full names of all families, encoded once for each format and namespace.
final class HeaderCache: Sendable {
  static let shared = HeaderCache()

  /// By the rank of the family in the order that they were made for.
  final class Headers: Sendable {
    let order: FamilyOrder
    let headers: [[UInt8]]
    /// The name of the family's samples, without the suffix of a part.
    let names: [[UInt8]]

    init(_ format: Exposition.Format, _ namespace: String, _ order: FamilyOrder) {
      self.order = order
      let prefix = namespace.isEmpty ? "" : "\(namespace)_"
      names = order.families.map { Array((($0.namespaced ? prefix : "") + $0.name).utf8) }
      headers = zip(order.families, names).map { family, name in
        // OpenMetrics names a counter without `_total`.
        let shown = format == .openMetrics && family.isCounterWithTotal ? name.dropLast("_total".utf8.count) : name[...]
        return Array("# HELP ".utf8) + shown + [UInt8(ascii: " ")] + family.helpBytes + Array("\n# TYPE ".utf8)
          + shown + Array(" \(family.typeName(in: format))\n".utf8)
      }
    }
  }

  private struct Key: Hashable {
    let format: Exposition.Format
    let namespace: String
  }
  private let known = Lock([Key: Headers]())

  func headers(_ format: Exposition.Format, _ namespace: String, _ order: FamilyOrder) -> Headers {
    let key = Key(format: format, namespace: namespace)
    if let headers = known.withLock({ $0[key] }), headers.order === order { return headers }
    let headers = Headers(format, namespace, order)
    known.withLock { $0[key] = headers }
    return headers
  }
}

extension Family {
  /// The word after TYPE. In OpenMetrics a counter whose name does not end in `_total` is of unknown type.
  fileprivate func typeName(in format: Exposition.Format) -> String {
    switch (format, type) {
    case (.openMetrics, .untyped): "unknown"
    case (.openMetrics, .counter) where !isCounterWithTotal: "unknown"
    default: type.rawValue
    }
  }
}
