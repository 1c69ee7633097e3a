/// The exposition formats in which a page of metrics can be had.
public enum PageFormat: Sendable, Hashable, CaseIterable {
  /// Prometheus text format 0.0.4.
  case text
  /// OpenMetrics 1.0.0.
  case openMetrics

  /// The value of the Content-Type header.
  public var contentType: String {
    switch self {
    case .text: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
    }
  }

  /// The format that a request asks for.
  ///
  /// OpenMetrics is given only where it is enabled, named by its own type, and weighted above text:
  /// a wildcard or a tie means text.
  /// - Parameter accept: the Accept header, nil where the request has none.
  public static func negotiated(accept: String?, openMetricsEnabled: Bool) -> PageFormat {
    guard openMetricsEnabled, let accept else { return .text }
    var openMetricsQuality = 0
    var textQuality = 0
    for item in WeightedList(accept).items {
      switch item.value {
      case "application/openmetrics-text" where item.hasVersion("1.0.0"):
        openMetricsQuality = max(openMetricsQuality, item.quality)
      case "text/plain" where item.hasVersion("0.0.4"):
        textQuality = max(textQuality, item.quality)
      default: break
      }
    }
    return openMetricsQuality > textQuality ? .openMetrics : .text
  }
}

extension WeightedList.Item {
  /// Whether the item leaves the version open or names this one.
  fileprivate func hasVersion(_ version: String) -> Bool {
    parameters.allSatisfy { $0.name != "version" || $0.value == version }
  }
}

/// How a body is sent: as it is, or compressed.
public enum ContentEncoding: Sendable, Hashable, CaseIterable {
  case identity, gzip

  /// The encoding that a request asks for (RFC 9110, 12.5.3).
  ///
  /// Gzip where it is allowed and not weighted below identity. A request that forbids both gets identity:
  /// an unreadable page is worth more than an error to a scraper that set a header by mistake.
  public static func negotiated(acceptEncoding: String?) -> ContentEncoding {
    guard let acceptEncoding else { return .identity }
    var gzip: Int?
    var identity: Int?
    var others: Int?
    for item in WeightedList(acceptEncoding).items {
      switch item.value {
      case "gzip", "x-gzip": gzip = max(gzip ?? 0, item.quality)
      case "identity": identity = max(identity ?? 0, item.quality)
      case "*": others = max(others ?? 0, item.quality)
      default: break
      }
    }
    let gzipQuality = gzip ?? others ?? 0
    return gzipQuality > 0 && gzipQuality >= (identity ?? 0) ? .gzip : .identity
  }
}

/// The items of an `Accept` or `Accept-Encoding` header with their weights (RFC 9110, 12.4.2).
///
/// What cannot be read is skipped: a strange client gets the default, never an error.
struct WeightedList {
  struct Item: Equatable {
    /// The media type or coding, in lower case.
    var value: String
    /// Parameters other than `q`, names in lower case.
    var parameters: [Parameter]
    /// The weight in thousandths, 0 (not wanted) to 1000.
    var quality: Int
  }
  struct Parameter: Equatable {
    var name: String
    var value: String
  }

  /// The most items that are read.
  static let itemLimit = 64
  let items: [Item]

  init(_ header: String) {
    var items: [Item] = []
    for part in header.utf8.split(separator: UInt8(ascii: ",")).prefix(Self.itemLimit) {
      let fields = part.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
      let value = trimmed(fields[0])
      guard !value.isEmpty else { continue }
      var item = Item(value: lowercased(value), parameters: [], quality: 1000)
      for field in fields.dropFirst() {
        let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? field.endIndex
        let name = lowercased(trimmed(field[..<equals]))
        let text = unquoted(trimmed(equals == field.endIndex ? field[equals...] : field[equals...].dropFirst()))
        if name == "q" {
          item.quality = thousandths(text) ?? 0
        } else if !name.isEmpty {
          item.parameters.append(Parameter(name: name, value: String(decoding: text, as: UTF8.self)))
        }
      }
      items.append(item)
    }
    self.items = items
  }
}

private typealias Bytes = Substring.UTF8View

private func trimmed(_ bytes: Bytes) -> Bytes {
  func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
  var bytes = bytes.drop(while: isSpace)
  while let last = bytes.last, isSpace(last) { bytes.removeLast() }
  return bytes
}

private func unquoted(_ bytes: Bytes) -> Bytes {
  let quote = UInt8(ascii: "\"")
  guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return bytes }
  return bytes.dropFirst().dropLast()
}

private func lowercased(_ bytes: Bytes) -> String {
  String(decoding: bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
}

/// `0.5` as 500. Nil when it is not a number of at most three decimals from 0 to 1.
private func thousandths(_ bytes: Bytes) -> Int? {
  let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
  guard let whole = parts.first, whole.count == 1, let unit = digit(whole.first!), unit <= 1 else { return nil }
  var value = unit * 1000
  if parts.count == 2 {
    guard parts[1].count <= 3 else { return nil }
    var scale = 100
    for byte in parts[1] {
      guard let digit = digit(byte) else { return nil }
      value += digit * scale
      scale /= 10
    }
  }
  return value <= 1000 ? value : nil
}

private func digit(_ byte: UInt8) -> Int? {
  byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int(byte - UInt8(ascii: "0")) : nil
}
