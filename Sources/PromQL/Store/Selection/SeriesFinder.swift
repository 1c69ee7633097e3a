import Runtime

/// Finds series by matchers. Expressions are tried on the distinct values of a label, and never while the store waits.
struct SeriesFinder {
  /// For each matcher that an index lookup settles the labels that pass.
  private let exact: [[[UInt8]]]
  /// Matchers that an index lookup does not settle.
  private let open: [LabelMatcher]
  private let contents: Lock<StoreContents>

  init(_ matchers: [LabelMatcher], in contents: Lock<StoreContents>) {
    self.contents = contents
    var exact: [[[UInt8]]] = []
    var open: [LabelMatcher] = []
    for matcher in matchers {
      if let literals = matcher.literals, !literals.contains("") {
        exact.append(Set(literals).map { LabelTable.packed(Array(matcher.name.utf8)[...], Array($0.utf8)[...]) })
      } else {
        open.append(matcher)
      }
    }
    self.exact = exact
    self.open = open
  }

  /// The series that every matcher matches.
  func find() -> [SeriesReference] {
    var (exact, open) = (exact, open)
    if exact.isEmpty, let narrowing = open.firstIndex(where: { !$0.matchesEmpty }) {
      exact.append(labels(matching: open.remove(at: narrowing)))
    }
    let (candidates, checks) = candidates(having: exact, checking: open)
    if checks.isEmpty { return candidates }
    let passing = checks.map { $0.passingCodes() }
    return candidates.indices.filter { index in
      zip(checks, passing).allSatisfy { check, passing in passing[Int(check.codes[index])] }
    }.map { candidates[$0] }
  }

  /// The labels that a matcher matches which a series without the label fails.
  private func labels(matching matcher: LabelMatcher) -> [[UInt8]] {
    let values = contents.withLock { contents in
      var values = LabelTexts()
      for number in contents.index.table.labels(ofName: Array(matcher.name.utf8)) {
        values.append(contents.index.table.value(of: number))
      }
      return values
    }
    return (0..<values.count).filter { matcher.matches(value: values[$0]) }
      .map { LabelTable.packed(Array(matcher.name.utf8)[...], values[$0]) }
  }

  /// The series that have one label of every list, and what matchers are to be tried on.
  private func candidates(
    having labels: [[[UInt8]]], checking matchers: [LabelMatcher]
  ) -> ([SeriesReference], [LabelCheck]) {
    contents.withLock { contents in
      let slots = contents.slots(having: labels)
      var references: [SeriesReference] = []
      references.reserveCapacity(slots.count)
      for slot in slots { references.append(contents.reference(slot)) }
      var checks: [LabelCheck] = []
      for matcher in matchers { checks.append(contents.check(matcher, of: slots)) }
      return (references, checks)
    }
  }
}

/// Values of labels, copied one behind the other: what is read without the lock shares no memory with what is written
/// under it.
struct LabelTexts {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func append(_ value: ArraySlice<UInt8>) {
    bytes.append(contentsOf: value)
    ends.append(bytes.count)
  }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }
}

/// A matcher over candidates: which of the distinct values each one has.
struct LabelCheck {
  let matcher: LabelMatcher
  /// For each candidate 0 when it lacks the label, or its value's place, counted from 1.
  var codes: [UInt32] = []
  /// The distinct values.
  var values = LabelTexts()

  /// By code.
  func passingCodes() -> [Bool] {
    [matcher.matchesEmpty]
      + (0..<values.count).map { matcher.matches(value: values[$0]) }
  }
}

extension StoreContents {
  /// The series that have one label of every list, in order; all series without a list.
  mutating func slots(having labels: [[[UInt8]]]) -> [UInt32] {
    var lists: [[UInt32]] = []
    for packed in labels {
      let numbers = packed.compactMap { index.table.number(of: $0) }
      lists.append(PostingList.union(numbers.map { index.series(withLabel: $0) }))
    }
    lists.sort { $0.count < $1.count }
    guard var result = lists.first else { return index.allSeries }
    for list in lists.dropFirst() {
      if result.isEmpty { break }
      result = PostingList.intersection(result, list)
    }
    return result
  }

  /// What a matcher is to be tried on.
  func check(_ matcher: LabelMatcher, of slots: [UInt32]) -> LabelCheck {
    var check = LabelCheck(matcher: matcher)
    check.codes.reserveCapacity(slots.count)
    guard let name = index.table.nameNumber(of: Array(matcher.name.utf8)) else {
      check.codes = [UInt32](repeating: 0, count: slots.count)
      return check
    }
    var codeByLabel: [UInt32: UInt32] = [:]
    for slot in slots {
      guard let label = index.labels(of: slot).first(where: { index.table[$0].name == name }) else {
        check.codes.append(0)
        continue
      }
      if let code = codeByLabel[label] {
        check.codes.append(code)
      } else {
        check.values.append(index.table.value(of: label))
        let code = UInt32(check.values.count)
        codeByLabel[label] = code
        check.codes.append(code)
      }
    }
    return check
  }
}
