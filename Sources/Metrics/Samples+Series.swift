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
    for sample in samples where families.contains(sample.family) {
      if sample.part == .histogram {
        append(histograms[Int(sample.value)], to: &values)
      } else {
        values.append(sample.value)
      }
    }
  }

  /// The same, and whether the series of those families are those that an outline knows.
  ///
  /// - Parameter isWanted: of each family, by ``FamilySelection/flags()``.
  public func appendValues(
    of isWanted: [Bool], to values: inout [Double], comparedWith outline: SeriesOutline
  ) -> Bool {
    // A thousand sources are looked at one after another, so nothing is counted or copied inside the loop.
    let (bytes, known, labels) = (labelBytes, outline.series, outline.labels)
    var isSame = constantLabels == outline.constantLabels
    var (place, labelStart) = (0, 0)
    for sample in samples where isWanted[Int(sample.family)] {
      if isSame {
        isSame = place < known.count && known[place].isOf(sample, labelStart)
        if isSame {
          let start = Int(sample.labelStart)
          for offset in 0..<Int(sample.labelCount) where labels[labelStart + offset] != bytes[start + offset] {
            isSame = false
            break
          }
          labelStart = Int(known[place].labelEnd)
        }
      }
      if sample.part == .histogram {
        let histogram = histograms[Int(sample.value)]
        isSame = isSame && outline.knows(histogram, at: place)
        append(histogram, to: &values)
      } else {
        values.append(sample.value)
      }
      place += 1
    }
    return isSame && place == known.count
  }

  private func append(_ histogram: HistogramSample, to values: inout [Double]) {
    values.append(contentsOf: histogram.cumulative)
    values.append(histogram.count)
    if let sum = histogram.sum { values.append(sum) }
    values.append(histogram.count)
  }

  /// A number that differs, most likely, when a value or a series of those families does.
  public func digest(of families: inout FamilySelection) -> UInt64 {
    var hash = FNV1a.start
    for sample in samples where families.contains(sample.family) {
      hash = (hash ^ UInt64(UInt32(bitPattern: sample.family))) &* FNV1a.prime
      for byte in labelBytes[Int(sample.labelStart)..<Int(sample.labelStart + sample.labelCount)] {
        hash = (hash ^ UInt64(byte)) &* FNV1a.prime
      }
      hash = (hash ^ sample.value.bitPattern) &* FNV1a.prime
      hash ^= hash >> 29
    }
    return hash
  }

  /// The full names of the families that have samples.
  public func familyNames(namespace: String) -> Set<String> {
    let order = FamilyTable.shared.order
    let exposition = Exposition(namespace: namespace)
    return Set(
      Set(samples.map(\.family)).map { exposition.fullName(of: order.families[Int(order.ranks[Int($0)])]) })
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
    for sample in samples where families.contains(sample.family) {
      let name = exposition.fullName(of: order.families[Int(order.ranks[Int(sample.family)])])
      let start = Int(sample.labelStart)
      var labels = LabelText.pairs(labelBytes[start..<(start + Int(sample.labelCount))]) + constants
      switch sample.part {
      case .value, .summary:
        if areEdgesFloats, let index = labels.firstIndex(where: { $0.name == "quantile" }) {
          labels[index].value = LabelText.float(labels[index].value)
        }
        body(SeriesText(name: name, labels: labels))
      case .sum: body(SeriesText(name: name + "_sum", labels: labels))
      case .count: body(SeriesText(name: name + "_count", labels: labels))
      case .histogram:
        let histogram = histograms[Int(sample.value)]
        for bound in histogram.edges.bounds + ["+Inf"] {
          let edge = areEdgesFloats ? LabelText.float(bound) : bound
          body(SeriesText(name: name + "_bucket", labels: labels + [("le", edge)]))
        }
        if histogram.sum != nil { body(SeriesText(name: name + "_sum", labels: labels)) }
        body(SeriesText(name: name + "_count", labels: labels))
      }
    }
  }
}

/// Which series some families have among samples, without their values: small enough to be kept for each source.
public final class SeriesOutline: Sendable {
  fileprivate struct Series {
    let family: Int32
    let part: SamplePart
    /// Where its labels end in ``labels``; they begin where those before end.
    let labelEnd: UInt32

    /// Whether a sample is of that family, part and length of labels.
    func isOf(_ sample: Sample, _ labelStart: Int) -> Bool {
      family == sample.family && part == sample.part && Int(labelEnd) - labelStart == Int(sample.labelCount)
    }
  }

  private struct Histogram {
    let place: Int
    let edges: HistogramEdges
    let hasSum: Bool
  }

  fileprivate let series: [Series]
  fileprivate let labels: [UInt8]
  private let histograms: [Histogram]
  fileprivate let constantLabels: [UInt8]

  public init(_ samples: Samples, of families: inout FamilySelection) {
    var series: [Series] = []
    var labels: [UInt8] = []
    var histograms: [Histogram] = []
    for sample in samples.samples where families.contains(sample.family) {
      labels += samples.labelBytes[Int(sample.labelStart)..<Int(sample.labelStart + sample.labelCount)]
      if sample.part == .histogram {
        let histogram = samples.histograms[Int(sample.value)]
        histograms.append(Histogram(place: series.count, edges: histogram.edges, hasSum: histogram.sum != nil))
      }
      series.append(Series(family: sample.family, part: sample.part, labelEnd: UInt32(labels.count)))
    }
    (self.series, self.labels, self.histograms) = (series, labels, histograms)
    constantLabels = samples.constantLabels
  }

  /// Whether the histogram at a place has the same buckets.
  fileprivate func knows(_ histogram: HistogramSample, at place: Int) -> Bool {
    guard let known = histograms.first(where: { $0.place == place }) else { return false }
    return histogram.edges === known.edges && (histogram.sum != nil) == known.hasSum
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
