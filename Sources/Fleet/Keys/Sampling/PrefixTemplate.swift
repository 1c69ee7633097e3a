import Runtime

/// What the first parts of a key's name are made into, so that keys of a kind fall together and no name of a single thing or
/// person is left: `user:4711:cart` is `user:*`.
struct PrefixTemplate: Sendable, Equatable {
  let separators: ByteSet
  /// Parts that are told apart.
  let depth: Int

  static let depths = 1...SampledPath.length
  /// A longer part is no name of a kind.
  static let partBytes = 32
  /// Bytes of a name that are looked at.
  static let nameBytes = 1024

  /// - Parameters:
  ///   - separators: what stands between the parts of a name.
  ///   - depth: within ``depths``.
  init(separators: String = ":", depth: Int = 2) {
    self.separators = ByteSet { separators.utf8.contains($0) }
    self.depth = min(max(depth, Self.depths.lowerBound), Self.depths.upperBound)
  }

  /// One part of a name.
  struct Part: Equatable {
    /// With the separator behind it.
    let bytes: ArraySlice<UInt8>
    /// nil behind the last part of a name.
    let separator: UInt8?
    /// Whether it stands for one of many, whatever it is.
    let isVariable: Bool
  }

  /// The first parts. Braces of a hash tag, which only say where a key lives, are left out.
  func parts(of name: [UInt8]) -> [Part] {
    let name = Self.withoutHashTag(name.prefix(Self.nameBytes))
    var parts: [Part] = []
    var start = name.startIndex
    while parts.count < depth {
      guard let end = name[start...].firstIndex(where: { separators.contains($0) }) else {
        parts.append(Part(bytes: name[start...], separator: nil, isVariable: Self.isVariable(name[start...])))
        break
      }
      let next = name.index(after: end)
      parts.append(
        Part(bytes: name[start..<next], separator: name[end], isVariable: Self.isVariable(name[start..<end])))
      start = next
    }
    return parts
  }

  private static func withoutHashTag(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let open = name.firstIndex(of: UInt8(ascii: "{")),
      let close = name[name.index(after: open)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
    else { return name }
    return (name[..<open] + name[(open + 1)..<close] + name[(close + 1)...])[...]
  }

  /// Whether a part is a number, an identity, a hash, an address of mail or bytes that are no text.
  static func isVariable(_ part: ArraySlice<UInt8>) -> Bool {
    guard part.count <= partBytes else { return true }
    let digitCount = part.count(where: \.isASCIIDigit)
    if digitCount * 5 > part.count * 2 { return true }
    if part.contains(where: { $0 == UInt8(ascii: "@") || !(0x21...0x7e ~= $0) }) { return true }
    return part.count >= 8 && part.allSatisfy { $0.hexDigitValue != nil }
  }

  /// A template without stars at its end that say no more than one: `user:*:*` is `user:*`.
  func shortened(_ template: [UInt8]) -> [UInt8] {
    var template = template
    let star = UInt8(ascii: "*")
    while template.count >= 3, template.last == star, separators.contains(template[template.count - 2]),
      template[template.count - 3] == star, template.count == 3 || separators.contains(template[template.count - 4])
    {
      template.removeLast(2)
    }
    return template
  }
}

/// The parts of a name as numbers of a ``PrefixTable``; `.max` behind the last.
struct SampledPath: Sendable, Hashable {
  static let length = 4
  private var parts = SIMD4<UInt32>(repeating: .max)

  subscript(level: Int) -> UInt32? {
    get { parts[level] == .max ? nil : parts[level] }
    set { parts[level] = newValue ?? .max }
  }
}

/// The prefixes of the names of a sample.
///
/// Of a part of a name only a hash is kept until enough different names share it: which parts people may read is decided
/// before any of them can be. So no more texts are ever kept than one for ``anonymity`` keys of the sample, and all is gone
/// with the sample.
struct PrefixTable: Sendable {
  /// As many different names must share a part for it to be shown: no single person becomes a label.
  static let anonymity = 20

  private struct Part: Sendable {
    let separator: UInt8?
    var nameCount = 0
    /// nil until enough names share it.
    var text: [UInt8]?
  }

  let template: PrefixTemplate
  private var numbers: [Int: UInt32] = [:]
  private var parts: [Part] = []
  private var pathNumbers: [SampledPath: Int32] = [:]
  private var paths: [SampledPath] = []
  /// Different names of each path.
  private var nameCounts: [Int] = []

  init(_ template: PrefixTemplate) { self.template = template }

  /// Numbers from which on parts have texts; those below are stars with each separator, and one without.
  private static let firstText: UInt32 = 257

  private static func star(_ separator: UInt8?) -> UInt32 { separator.map { UInt32($0) + 1 } ?? 0 }

  /// - Parameter isNew: whether the name was not met before.
  /// - Returns: the number of its path.
  mutating func add(_ name: [UInt8], isNew: Bool) -> Int32 {
    var path = SampledPath()
    for (level, part) in template.parts(of: name).enumerated() {
      path[level] = part.isVariable ? Self.star(part.separator) : number(of: part, isNew: isNew)
    }
    let number: Int32
    if let known = pathNumbers[path] {
      number = known
    } else {
      number = Int32(paths.count)
      pathNumbers[path] = number
      paths.append(path)
      nameCounts.append(0)
    }
    if isNew { nameCounts[Int(number)] += 1 }
    return number
  }

  private mutating func number(of part: PrefixTemplate.Part, isNew: Bool) -> UInt32 {
    var hasher = Hasher()
    hasher.combine(part.separator)
    for byte in part.bytes { hasher.combine(byte) }
    let hash = hasher.finalize()
    let place: Int
    if let known = numbers[hash] {
      place = Int(known - Self.firstText)
    } else {
      place = parts.count
      numbers[hash] = Self.firstText + UInt32(place)
      parts.append(Part(separator: part.separator))
    }
    if isNew { parts[place].nameCount += 1 }
    if parts[place].text == nil, parts[place].nameCount >= Self.anonymity { parts[place].text = Array(part.bytes) }
    return Self.firstText + UInt32(place)
  }

  /// The template of each path, by number of the path.
  func templates() -> [String] {
    var texts = [String](repeating: "*", count: paths.count)
    describe(Array(paths.indices), 0, [], &texts)
    return texts
  }

  private func describe(_ members: [Int], _ level: Int, _ before: [UInt8], _ texts: inout [String]) {
    guard level < template.depth else {
      // More may follow behind the last part that is told apart.
      let isOpen = before.last.map { template.separators.contains($0) } ?? false
      return finish(members, isOpen ? before + [UInt8(ascii: "*")] : before, &texts)
    }
    var groups: [UInt32: [Int]] = [:]
    var ended: [Int] = []
    for (number, own) in Dictionary(grouping: members, by: { paths[$0][level] }) {
      guard let number else {
        ended = own
        continue
      }
      groups[isShown(number, own) ? number : Self.star(separator(of: number)), default: []] += own
    }
    finish(ended, before, &texts)
    for (number, own) in groups { describe(own, level + 1, before + text(of: number), &texts) }
  }

  private func isShown(_ number: UInt32, _ members: [Int]) -> Bool {
    number >= Self.firstText && parts[Int(number - Self.firstText)].text != nil
      && members.reduce(0) { $0 + nameCounts[$1] } >= Self.anonymity
  }

  private func separator(of number: UInt32) -> UInt8? {
    if number >= Self.firstText { return parts[Int(number - Self.firstText)].separator }
    return number == 0 ? nil : UInt8(number - 1)
  }

  private func text(of number: UInt32) -> [UInt8] {
    if number >= Self.firstText { return parts[Int(number - Self.firstText)].text ?? [] }
    return [UInt8(ascii: "*")] + (separator(of: number).map { [$0] } ?? [])
  }

  private func finish(_ members: [Int], _ text: [UInt8], _ texts: inout [String]) {
    let template = String(decoding: template.shortened(text), as: UTF8.self)
    for member in members { texts[member] = template }
  }
}
