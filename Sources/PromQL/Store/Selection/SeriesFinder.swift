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
        exact.append(Set(literals).map { LabelTable.packed(matcher.name, $0) })
      } else {
        open.append(matcher)
      }
    }
    self.exact = exact
    self.open = open
  }

  /// The series that every matcher matches.
  func find() -> [SeriesReference] {
    var open = open
    var accepted: [AcceptedLabel]?
    if exact.isEmpty, let narrowing = open.firstIndex(where: { !$0.matchesEmpty }) {
      accepted = labels(matching: open.remove(at: narrowing))
    }
    let (candidates, checks) = candidates(among: accepted, checking: open)
    if checks.isEmpty { return candidates }
    let passing = checks.map { $0.passingCodes() }
    return candidates.indices.filter { index in
      zip(checks, passing).allSatisfy { check, passing in passing[Int(check.codes[index])] }
    }.map { candidates[$0] }
  }

  private func candidates(
    among accepted: [AcceptedLabel]?, checking matchers: [LabelMatcher]
  ) -> ([SeriesReference], [LabelCheck]) {
    contents.withLock { contents in
      let slots = slots(among: accepted, in: &contents)
      var references: [SeriesReference] = []
      references.reserveCapacity(slots.count)
      for slot in slots { references.append(contents.reference(slot)) }
      var checks: [LabelCheck] = []
      for matcher in matchers { checks.append(contents.check(matcher, of: slots)) }
      return (references, checks)
    }
  }

  private struct AcceptedLabel {
    let number: UInt32
    let packed: [UInt8]
  }

  /// The labels that a matcher matches which a series without the label fails.
  private func labels(matching matcher: LabelMatcher) -> [AcceptedLabel] {
    let known = contents.withLock { contents in
      contents.index.table.labels(ofName: Array(matcher.name.utf8)).map {
        AcceptedLabel(number: $0, packed: contents.index.table[$0].packed)
      }
    }
    return known.filter { matcher.matches(value: LabelTable.value(ofPacked: $0.packed)) }
  }

  private func slots(among accepted: [AcceptedLabel]?, in contents: inout StoreContents) -> [UInt32] {
    var lists: [[UInt32]] = []
    if let accepted {
      // A number may have been given to another label meanwhile.
      let valid = accepted.filter { contents.index.table[$0.number].packed == $0.packed }
      lists.append(PostingList.union(valid.map { contents.index.series(withLabel: $0.number) }))
    }
    for packed in exact {
      let numbers = packed.compactMap { contents.index.table.number(of: $0) }
      lists.append(PostingList.union(numbers.map { contents.index.series(withLabel: $0) }))
    }
    guard var result = lists.min(by: { $0.count < $1.count }) else { return contents.index.allSeries }
    for list in lists.sorted(by: { $0.count < $1.count }).dropFirst() {
      if result.isEmpty { break }
      result = PostingList.intersection(result, list)
    }
    return result
  }
}

/// A matcher over candidates: which of the distinct values each one has.
struct LabelCheck {
  let matcher: LabelMatcher
  /// For each candidate 0 when it lacks the label, or its value's place, counted from 1.
  var codes: [UInt32] = []
  /// Distinct labels as they stand in a ``Labels``.
  var labels: [[UInt8]] = []

  /// By code.
  func passingCodes() -> [Bool] {
    [matcher.matchesEmpty] + labels.map { matcher.matches(value: LabelTable.value(ofPacked: $0)) }
  }
}

extension StoreContents {
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
        check.labels.append(index.table[label].packed)
        let code = UInt32(check.labels.count)
        codeByLabel[label] = code
        check.codes.append(code)
      }
    }
    return check
  }
}
