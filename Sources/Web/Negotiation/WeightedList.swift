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
