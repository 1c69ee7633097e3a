/// The page that shows an alert's expression, as Prometheus links it; empty where the program's own URL is not known.
///
/// - Parameter externalURL: without a slash at its end.
func generatorURL(externalURL: String, expression: String) -> String {
  externalURL.isEmpty ? "" : "\(externalURL)/graph?g0.expr=\(queryEscaped(expression))&g0.tab=1"
}

/// As `url.QueryEscape` of Go: letters, digits and `-_.~` stay, a space becomes `+`, other bytes `%XX`.
private func queryEscaped(_ text: String) -> String {
  let hex = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
      bytes.append(byte)
    case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
    default: bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
