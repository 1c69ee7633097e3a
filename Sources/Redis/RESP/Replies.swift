import Runtime

/// What a server sent back for one batch of commands: a flat, immutable list of values over one array of bytes.
///
/// There is no tree of objects: an array is a node that says how many values follow and where it ends.
public final class Replies: Sendable {
  let nodes: [ReplyNode]
  /// Every string of every reply, one after another.
  public let bytes: [UInt8]
  /// The index of each complete top-level reply.
  let roots: [Int32]

  init(nodes: [ReplyNode], bytes: [UInt8], roots: [Int32]) {
    self.nodes = nodes
    self.bytes = bytes
    self.roots = roots
  }

  /// How many top-level replies are complete.
  public var count: Int { roots.count }

  public subscript(index: Int) -> Reply { Reply(replies: self, index: Int(roots[index])) }

  /// The top-level replies in `range`, without those that never came.
  public func replies(in range: Range<Int>) -> [Reply] {
    range.clamped(to: 0..<count).map { self[$0] }
  }
}

struct ReplyNode: Sendable {
  var kind: ReplyKind
  /// Bytes of a string, elements of an array.
  var count: Int32
  /// The index after the last value inside this one.
  var end: Int32
  /// The integer itself, or where the string's bytes start.
  var value: Int64
}

public enum ReplyKind: UInt8, Sendable {
  case string, status, error, integer, array, null
}

/// One value of a reply; a cheap view.
public struct Reply: Sendable {
  let replies: Replies
  let index: Int

  @inline(__always) private var node: ReplyNode { replies.nodes[index] }

  public var kind: ReplyKind { node.kind }
  public var isError: Bool { node.kind == .error }
  public var isNull: Bool { node.kind == .null }

  /// The bytes of a string, a status or an error; nil for other kinds.
  public var bytes: ArraySlice<UInt8>? {
    let node = node
    switch node.kind {
    case .string, .status, .error:
      return replies.bytes[Int(node.value)..<Int(node.value) + Int(node.count)]
    case .integer, .array, .null: return nil
    }
  }

  /// The text of a string, a status or an error, repaired where it is no UTF-8 and cut to ``ForeignText/byteLimit``; nil
  /// for other kinds.
  public var text: String? { bytes.map { String(foreign: $0) } }

  /// An integer, or a string of digits; within ``Limits/integers``.
  public var integer: Int? {
    if node.kind == .integer { return Limits.nearest(node.value) }
    return bytes.flatMap { parseInteger($0) }
  }

  /// An integer, or a string that is a number.
  public var double: Double? {
    if node.kind == .integer { return Double(node.value) }
    return bytes.flatMap { parseDouble($0) }
  }

  /// The elements of an array; nil for other kinds.
  public var elements: ReplyElements? {
    node.kind == .array ? ReplyElements(replies: replies, array: index) : nil
  }

  /// The elements of an array that holds nothing but integers, as they were sent; nil for anything else.
  public var numbers: [Double]? {
    guard node.kind == .array else { return nil }
    var values: [Double] = []
    values.reserveCapacity(Int(node.count))
    for index in (index + 1)..<Int(node.end) {
      guard replies.nodes[index].kind == .integer else { return nil }
      values.append(Double(replies.nodes[index].value))
    }
    return values
  }

  /// What the reply is a part of.
  public var source: Replies { replies }

  /// Hands out the reply and everything in it, an array before its elements.
  ///
  /// - Parameter body: is given the kind, the integer or the number of elements, and where a string stands in
  ///   ``Replies/bytes``.
  public func forEachValue(_ body: (_ kind: ReplyKind, _ number: Int64, _ bytes: Range<Int>) -> Void) {
    for node in replies.nodes[index..<Int(node.end)] {
      switch node.kind {
      case .string, .status, .error: body(node.kind, 0, Int(node.value)..<(Int(node.value) + Int(node.count)))
      case .array: body(.array, Int64(node.count), 0..<0)
      case .integer, .null: body(node.kind, node.value, 0..<0)
      }
    }
  }

  /// A number that differs, most likely, when the reply or anything in it does.
  public var digest: UInt64 {
    let (allNodes, allBytes) = (replies.nodes, replies.bytes)
    let nodes = allNodes.span
    let bytes = allBytes.span
    var hash = FNV1a.start
    for place in index..<Int(nodes[index].end) {
      let node = nodes[place]
      hash = (hash ^ UInt64(node.kind.rawValue) ^ UInt64(UInt32(bitPattern: node.count)) << 8) &* FNV1a.prime
      switch node.kind {
      case .string, .status, .error:
        let start = Int(node.value)
        for offset in start..<(start + Int(node.count)) { hash = (hash ^ UInt64(bytes[offset])) &* FNV1a.prime }
      case .integer:
        hash = (hash ^ UInt64(bitPattern: node.value)) &* FNV1a.prime
        hash ^= hash >> 29
      case .array, .null: break
      }
    }
    return hash
  }

  /// Where the strings of an array that holds nothing but strings stand in ``Replies/bytes``; nil for anything else.
  public var stringRanges: [Range<Int>]? {
    guard node.kind == .array else { return nil }
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(Int(node.count))
    for index in (index + 1)..<Int(node.end) {
      let element = replies.nodes[index]
      guard element.kind == .string || element.kind == .status else { return nil }
      ranges.append(Int(element.value)..<Int(element.value) + Int(element.count))
    }
    return ranges
  }

  /// The error's first word, such as `NOPERM`; nil for other kinds.
  public var errorCode: String? {
    guard isError, let bytes else { return nil }
    return String(foreign: bytes.prefix { $0 != UInt8(ascii: " ") })
  }

  /// The value after the element `name` of a flat array of pairs, as XINFO and SENTINEL answer.
  public func field(_ name: String) -> Reply? {
    guard let elements else { return nil }
    var iterator = elements.makeIterator()
    while let key = iterator.next(), let value = iterator.next() {
      if let bytes = key.bytes, bytes.elementsEqual(name.utf8) { return value }
    }
    return nil
  }
}

/// The elements of an array reply, in order.
public struct ReplyElements: Sequence, Sendable {
  let replies: Replies
  let array: Int

  public var count: Int { Int(replies.nodes[array].count) }

  /// - Complexity: linear in `index`.
  public subscript(index: Int) -> Reply? {
    guard index >= 0 else { return nil }
    var iterator = makeIterator()
    for _ in 0..<index where iterator.next() == nil { return nil }
    return iterator.next()
  }

  public func makeIterator() -> Iterator {
    Iterator(
      replies: replies, position: array + 1, end: Int(replies.nodes[array].end))
  }

  public struct Iterator: IteratorProtocol {
    let replies: Replies
    var position: Int
    let end: Int

    public mutating func next() -> Reply? {
      guard position < end else { return nil }
      defer { position = Int(replies.nodes[position].end) }
      return Reply(replies: replies, index: position)
    }
  }
}
