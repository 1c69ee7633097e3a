import CRE2

/// An RE2 expression that matches whole texts.
@safe public final class Regex: @unchecked Sendable {
  /// What an expression may cost.
  public enum Limits {
    /// The longest pattern, in bytes of UTF-8.
    public static let patternBytes = 16 << 10
    /// What one compiled expression may take, its cache included.
    public static let memoryBytes: Int64 = 4 << 20
  }

  public let pattern: String
  /// The number of capturing groups.
  public let groupCount: Int
  private let handle: OpaquePointer

  /// - Parameter dotMatchesNewline: as `(?s)`; PromQL 3.x does so, 2.x does not.
  public init(_ pattern: String, dotMatchesNewline: Bool = true) throws(RegexError) {
    guard pattern.utf8.count <= Limits.patternBytes else {
      throw RegexError(pattern: pattern, reason: "longer than \(Limits.patternBytes) bytes")
    }
    var reason = [CChar](repeating: 0, count: 256)
    let compiled = unsafe Array(pattern.utf8).withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { text in
        unsafe redline_regex_new(
          text.baseAddress, text.count, dotMatchesNewline, Limits.memoryBytes, &reason, reason.count)
      }
    }
    guard let handle = unsafe compiled else {
      let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw RegexError(pattern: pattern, reason: String(decoding: bytes, as: UTF8.self))
    }
    self.pattern = pattern
    unsafe self.handle = unsafe handle
    groupCount = Int(unsafe redline_regex_group_count(handle))
  }

  deinit { unsafe redline_regex_free(handle) }

  /// True when the expression matches all of `text`, which is UTF-8.
  public func matches(_ text: ArraySlice<UInt8>) -> Bool {
    unsafe Self.withCharacters(text) { unsafe redline_regex_matches(handle, $0.baseAddress, $0.count) }
  }

  public func matches(_ text: String) -> Bool { matches(Array(text.utf8)[...]) }

  /// The whole match and every group, nil for one that took no part; nil when the expression does not match all of
  /// `text`.
  func captures(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>?]? {
    var bounds = [Int](repeating: -1, count: 2 * (groupCount + 1))
    let isMatch = unsafe Self.withCharacters(text) {
      unsafe redline_regex_capture(handle, $0.baseAddress, $0.count, &bounds)
    }
    guard isMatch else { return nil }
    return (0...groupCount).map { group in
      let (start, end) = (bounds[2 * group], bounds[2 * group + 1])
      return start < 0 ? nil : text[(text.startIndex + start)..<(text.startIndex + end)]
    }
  }

  /// As `captures`, for the first match anywhere from `start` on.
  func search(_ text: ArraySlice<UInt8>, from start: Int) -> [ArraySlice<UInt8>?]? {
    var bounds = [Int](repeating: -1, count: 2 * (groupCount + 1))
    let isMatch = unsafe Self.withCharacters(text) {
      unsafe redline_regex_search(handle, $0.baseAddress, $0.count, start - text.startIndex, &bounds)
    }
    guard isMatch else { return nil }
    return (0...groupCount).map { group in
      let (start, end) = (bounds[2 * group], bounds[2 * group + 1])
      return start < 0 ? nil : text[(text.startIndex + start)..<(text.startIndex + end)]
    }
  }

  /// The number of a named group.
  func group(named name: String) -> Int? {
    let group = unsafe Self.withCharacters(Array(name.utf8)[...]) {
      unsafe redline_regex_group_named(handle, $0.baseAddress, $0.count)
    }
    return group < 0 ? nil : Int(group)
  }

  private static func withCharacters<Result>(
    _ text: ArraySlice<UInt8>, _ body: (UnsafeBufferPointer<CChar>) -> Result
  ) -> Result {
    unsafe text.withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe body($0) }
    }
  }
}

/// An expression that RE2 does not accept.
public struct RegexError: Error, Sendable, Equatable, CustomStringConvertible {
  public let pattern: String
  public let reason: String

  public var description: String { "the regular expression \(quoted(pattern)) cannot be used: \(reason)" }
}

/// Matches anywhere in a text, and their replacement, as Go's `regexp` has it.
extension Regex {
  /// True when the expression matches somewhere in `text`.
  public func matchesAnywhere(in text: String) -> Bool { search(Array(text.utf8)[...], from: 0) != nil }

  /// The text with every match replaced by `replacement`, in which `$1`, `${1}` and `${name}` stand for groups and `$$`
  /// for a dollar sign. An empty match right after another match is left alone.
  public func replacingMatches(in text: String, with replacement: String) -> String {
    let bytes = Array(text.utf8)[...]
    let template = RegexReplacement(replacement)
    var result: [UInt8] = []
    var lastEnd = 0
    var position = 0
    while position <= bytes.count, let groups = search(bytes, from: position), let match = groups[0] {
      result += bytes[lastEnd..<match.startIndex]
      if match.endIndex > lastEnd || match.startIndex == 0 { result += template.expanded(groups, of: self) }
      lastEnd = match.endIndex
      var next = position + 1
      while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
      position = max(next, match.endIndex)
    }
    return String(decoding: result + bytes[lastEnd...], as: UTF8.self)
  }
}

/// A template of a label's name or value, filled with what an expression found.
extension Regex {
  /// The template with the groups of a match of all of `text`, as `label_replace` has it; nil where there is none.
  public func expanding(_ template: String, from text: String) -> String? {
    guard let captures = captures(Array(text.utf8)[...]) else { return nil }
    return String(decoding: RegexReplacement(template).expanded(captures, of: self), as: UTF8.self)
  }
}
