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
