/// The `key=value` pairs of a list such as `calls=21,usec=175`, one after another and without allocation.
///
/// A part without `=` is passed over. A value may hold `=` itself.
public struct InfoPairs: Sequence, IteratorProtocol {
  public typealias Pair = (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)

  private var rest: ArraySlice<UInt8>
  private let separator: UInt8

  public init(_ text: ArraySlice<UInt8>, separator: UInt8 = UInt8(ascii: ",")) {
    rest = text
    self.separator = separator
  }

  public mutating func next() -> Pair? {
    while rest.startIndex < rest.endIndex {
      let start = rest.startIndex
      var equals = -1
      var end = start
      while end < rest.endIndex, rest[end] != separator {
        if equals < 0, rest[end] == UInt8(ascii: "=") { equals = end }
        end += 1
      }
      let text = rest
      rest = text[Swift.min(end + 1, text.endIndex)...]
      if equals >= 0 { return (text[start..<equals], text[(equals + 1)..<end]) }
    }
    return nil
  }
}
