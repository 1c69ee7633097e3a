/// A time series as a small drawing in the page itself, with its lowest, highest and newest value in words.
struct SparkLine {
  private static let width = 240.0
  private static let height = 44.0
  /// Room for the stroke and the dot of the newest value.
  private static let margin = 4.0

  let series: TimeSeries
  /// What it shows, for those who do not see it.
  let title: String

  var html: HTML {
    guard let (low, high) = series.range else { return "<p class=\"dim\">no samples</p>" }
    let words = "lowest \(series.text(low)), highest \(series.text(high))"
    let missing = series.points.count { $0 == nil }
    let gaps = missing > 0 ? "; \(missing) of \(series.points.count) points are missing" : ""
    let about = "\(title) over \(span(Double(series.points.count) * series.stepSeconds)): \(words)\(gaps)"
    return """
      <svg class="spark" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" preserveAspectRatio="none">\
      <title>\(about)</title><path d="\(series.path { place(of: $0, at: $1, low, high) })"/>\(newest(low, high))</svg>
      <p class="dim small">min \(series.text(low)) · max \(series.text(high)) · \
      last \(span(Double(series.points.count) * series.stepSeconds))</p>
      """
  }

  /// A dot at the newest value.
  private func newest(_ low: Double, _ high: Double) -> HTML {
    guard let index = series.points.lastIndex(where: { $0 != nil }), let value = series.points[index] else { return "" }
    let place = place(of: value, at: index, low, high)
    return "<path class=\"now\" d=\"M\(place.x) \(place.y)h0\"/>"
  }

  private func place(of value: Double, at index: Int, _ low: Double, _ high: Double) -> (x: String, y: String) {
    let count = series.points.count
    let scale = high > low ? (Self.height - 2 * Self.margin) / (high - low) : 0
    let x =
      count > 1 ? Self.margin + (Self.width - 2 * Self.margin) * Double(index) / Double(count - 1) : Self.width / 2
    let y = scale == 0 ? Self.height / 2 : Self.height - Self.margin - (value - low) * scale
    return (tenths(x), tenths(y))
  }

  private func tenths(_ value: Double) -> String { number((value * 10).rounded() / 10) }
}
