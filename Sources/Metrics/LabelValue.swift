import Runtime

/// The value of one label: text of ours, bytes that a server sent, or absent. What is longer than ``ForeignText/byteLimit``
/// is cut where it is written.
public enum LabelValue: Sendable, ExpressibleByStringLiteral {
  case text(String)
  /// Bytes as received, known secrets left out; what is not valid UTF-8 is shown as U+FFFD, since Prometheus refuses a whole page over one such byte.
  case bytes(ArraySlice<UInt8>)
  /// The label is left out of the series.
  case absent

  public init(stringLiteral value: String) { self = .text(value) }
  public init(_ value: String) { self = .text(value) }
  public init(_ value: ArraySlice<UInt8>) { self = .bytes(value) }
  public init(_ value: Int) { self = .text(String(value)) }
}

/// Appends `bytes` as the inside of a quoted label value.
func appendEscaped(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
  guard bytes.count <= ForeignText.byteLimit else { return appendEscaped(String(foreign: bytes), to: &output) }
  if isPlain(bytes) {
    output.append(contentsOf: bytes)
  } else if let text = String(validating: bytes, as: UTF8.self) {
    appendEscaped(text, to: &output)
  } else {
    appendEscaped(String(decoding: bytes, as: UTF8.self), to: &output)
  }
}

func appendEscaped(_ text: String, to output: inout [UInt8]) {
  guard text.utf8.count <= ForeignText.byteLimit else {
    return appendEscaped(String(foreign: Array(text.utf8)), to: &output)
  }
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\\"), UInt8(ascii: "\""):
      output.append(UInt8(ascii: "\\"))
      output.append(byte)
    case UInt8(ascii: "\n"):
      output.append(UInt8(ascii: "\\"))
      output.append(UInt8(ascii: "n"))
    default: output.append(byte)
    }
  }
}

/// Whether bytes stand in a label as they came.
func isPlain(_ bytes: ArraySlice<UInt8>) -> Bool {
  guard bytes.count <= ForeignText.byteLimit else { return false }
  for byte in bytes where needsCare(byte) { return false }
  return true
}

@inline(__always)
private func needsCare(_ byte: UInt8) -> Bool {
  byte >= 0x80 || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"")
    || byte == UInt8(ascii: "\n")
}
