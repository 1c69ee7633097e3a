/// A JSON string with its quotes.
public func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.value < 0x20:
      let hex = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// A JSON object of texts, in the order given.
public func jsonObject(_ pairs: some Sequence<(key: String, value: String)>) -> String {
  "{\(pairs.map { "\(jsonString($0.key)):\(jsonString($0.value))" }.joined(separator: ","))}"
}
