extension MappingReader {
  /// A value, or one word that stands for nil, such as `off` or `any`.
  func value<Value>(
    _ key: String, _ type: ScalarType<Value>, or word: String, default: Value?, _ meaning: String = ""
  ) -> Value? {
    value(key, type.or(word), default: `default`, meaning, shown: `default` == nil ? word : nil)
  }
}

extension ScalarType {
  /// The same type, or one word for nil: `off` or `any`.
  func or(_ word: String) -> ScalarType<Value?> {
    let parse = parse
    let words = range.hasPrefix("`") ? range.replacing(" or `", with: ", `") : range
    return ScalarType<Value?>(
      placeholder: nil, name: name, range: words.isEmpty ? "or `\(word)`" : "\(words) or `\(word)`"
    ) { text throws(Mismatch) in
      if text == word { return nil }
      do throws(Mismatch) {
        return try parse(text)
      } catch {
        let hint = error.hint.map { "\($0), or \(word)" } ?? "\(word) is possible"
        throw Mismatch(error.problem, hint: hint, part: error.part)
      }
    }
  }
}
