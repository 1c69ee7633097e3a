import Runtime

/// Samples as a scraper takes them: series by name and labels, each with a value.
extension Samples {
  /// One series, as it stands on the page.
  public struct SeriesText {
    /// The full name, with the suffix of its part.
    public let name: String
    /// Constant labels among them; no name is `__name__`.
    public let labels: [(name: String, value: String)]
  }

  /// Appends the value of every series of those families, in the order of ``forEachSeries(of:namespace:areEdgesFloats:_:)``.
  public func appendValues(of families: inout FamilySelection, to values: inout [Double]) {
    appendValues(of: families.flags(), to: &values)
  }

  /// - Parameter isWanted: of each family, by ``FamilySelection/flags()``.
  func appendValues(of isWanted: [Bool], to values: inout [Double]) {
    var start = 0
    for run in runs {
      let end = start + run.valueCount
      if isWanted[Int(run.family)] {
        if run.histogramCount == 0 {
          values += self.values[start..<end]
        } else {
          append(run, from: start, to: &values)
        }
      }
      start = end
    }
  }

  private func append(_ run: SeriesRun, from start: Int, to values: inout [Double]) {
    var place = start
    for one in run.series {
      let valueCount = run.valueCount(of: one)
      values += self.values[place..<(place + valueCount)]
      if one.part.isHistogram { values.append(self.values[place + run.edges[Int(one.edges)].count]) }
      place += valueCount
    }
  }

  /// A number that differs, most likely, when a value or a series of those families does.
  public func digest(of families: inout FamilySelection) -> UInt64 {
    var hash = FNV1a.start
    forEachRun { run, values in
      guard families.contains(run.family) else { return }
      hash = (hash ^ run.hash) &* FNV1a.prime
      for value in values {
        hash = (hash ^ value.bitPattern) &* FNV1a.prime
        hash ^= hash >> 29
      }
    }
    return hash
  }

  /// The full names of the families that have samples.
  public func familyNames(namespace: String) -> Set<String> {
    let order = FamilyTable.shared.order
    let exposition = Exposition(namespace: namespace)
    return Set(
      runs.map { exposition.fullName(of: order.families[Int(order.ranks[Int($0.family)])]) })
  }

  /// Hands out every series of those families.
  ///
  /// - Parameter areEdgesFloats: `le` and `quantile` are written as Prometheus 3 stores them, `1.0` for `1`.
  public func forEachSeries(
    of families: inout FamilySelection, namespace: String, areEdgesFloats: Bool, _ body: (SeriesText) -> Void
  ) {
    let order = FamilyTable.shared.order
    let exposition = Exposition(namespace: namespace)
    let constants = LabelText.pairs(constantLabels[...])
    for run in runs where families.contains(run.family) {
      let name = exposition.fullName(of: order.families[Int(order.ranks[Int(run.family)])])
      var start = 0
      for one in run.series {
        let labels = LabelText.pairs(run.labels[start..<Int(one.labelEnd)]) + constants
        start = Int(one.labelEnd)
        texts(of: one, in: run, name, labels, areEdgesFloats: areEdgesFloats, body)
      }
    }
  }

  private func texts(
    of one: SeriesRun.Series, in run: SeriesRun, _ name: String, _ known: [(name: String, value: String)],
    areEdgesFloats: Bool, _ body: (SeriesText) -> Void
  ) {
    var labels = known
    switch one.part {
    case .value, .summary:
      if areEdgesFloats, let index = labels.firstIndex(where: { $0.name == "quantile" }) {
        labels[index].value = LabelText.float(labels[index].value)
      }
      body(SeriesText(name: name, labels: labels))
    case .sum: body(SeriesText(name: name + "_sum", labels: labels))
    case .count: body(SeriesText(name: name + "_count", labels: labels))
    case .histogram, .sumlessHistogram:
      for bound in run.edges[Int(one.edges)].bounds + ["+Inf"] {
        let edge = areEdgesFloats ? LabelText.float(bound) : bound
        body(SeriesText(name: name + "_bucket", labels: labels + [("le", edge)]))
      }
      if one.part == .histogram { body(SeriesText(name: name + "_sum", labels: labels)) }
      body(SeriesText(name: name + "_count", labels: labels))
    }
  }
}

/// Labels in exposition form, read back.
enum LabelText {
  /// The labels of `a="x",b="y"`, as ``SampleSink`` wrote them.
  static func pairs(_ bytes: ArraySlice<UInt8>) -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    var rest = bytes
    while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
      let name = String(decoding: rest[..<equals], as: UTF8.self)
      var value: [UInt8] = []
      var index = equals + 2
      while index < rest.endIndex, rest[index] != UInt8(ascii: "\"") {
        if rest[index] == UInt8(ascii: "\\"), index + 1 < rest.endIndex {
          index += 1
          value.append(rest[index] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : rest[index])
        } else {
          value.append(rest[index])
        }
        index += 1
      }
      pairs.append((name, String(decoding: value, as: UTF8.self)))
      // The closing quote and the comma.
      rest = rest[min(index + 2, rest.endIndex)...]
    }
    return pairs
  }

  /// A number as Prometheus 3 stores it in `le` and `quantile`: always with a fraction or an exponent.
  static func float(_ text: String) -> String {
    let isWhole = !text.isEmpty && text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "-") }
    return isWhole ? text + ".0" : text
  }
}
