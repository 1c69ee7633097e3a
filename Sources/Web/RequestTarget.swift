/// The target of a request line, `/scrape?target=redis%3A%2F%2Fa`, taken apart.
struct RequestTarget: Equatable {
  /// The most query items.
  static let itemLimit = 256

  let path: String
  let query: [Request.QueryItem]

  /// Nil when there are more than ``itemLimit`` query items.
  init?(_ target: String) {
    var bytes = Substring(target).utf8
    // The absolute form, which a proxy sends: `http://host/path`.
    if bytes.first != UInt8(ascii: "/"), let authority = target.utf8.firstRange(of: "://".utf8) {
      let rest = bytes[authority.upperBound...]
      bytes = rest[(rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex)...]
    }
    let question = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    let path = percentDecoded(bytes[..<question], plusIsSpace: false)
    self.path = path.isEmpty ? "/" : path
    let query = question == bytes.endIndex ? bytes[question...] : bytes[question...].dropFirst()
    self.query = queryItems(query, limit: Self.itemLimit + 1)
    if self.query.count > Self.itemLimit { return nil }
  }
}

/// `a=1&b=2`, decoded: the query of a target, or a form; at most `limit` items.
func queryItems(_ text: Substring.UTF8View, limit: Int) -> [Request.QueryItem] {
  text.split(separator: UInt8(ascii: "&")).prefix(limit).map { item in
    let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
    let value = equals == item.endIndex ? item[equals...] : item[equals...].dropFirst()
    return Request.QueryItem(
      name: percentDecoded(item[..<equals], plusIsSpace: true), value: percentDecoded(value, plusIsSpace: true))
  }
}

/// `%2F` as `/`. A broken escape stays as it is.
private func percentDecoded(_ bytes: Substring.UTF8View, plusIsSpace: Bool) -> String {
  guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
    return String(Substring(bytes))
  }
  var output: [UInt8] = []
  output.reserveCapacity(bytes.count)
  var index = bytes.startIndex
  while index != bytes.endIndex {
    let byte = bytes[index]
    bytes.formIndex(after: &index)
    if byte == UInt8(ascii: "+"), plusIsSpace {
      output.append(UInt8(ascii: " "))
    } else if byte == UInt8(ascii: "%"), let high = bytes[index...].first.flatMap(hexValue),
      let low = bytes[index...].dropFirst().first.flatMap(hexValue)
    {
      output.append(high << 4 | low)
      bytes.formIndex(&index, offsetBy: 2)
    } else {
      output.append(byte)
    }
  }
  return String(decoding: output, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
