/// One number of a workload over a span of time, with its axis, its objective and what happened meanwhile.
///
/// The axis begins at 0 where the number may: a small change looks small.
struct Chart {
  private static let width = 600.0
  private static let height = 90.0

  let title: String
  let series: TimeSeries
  /// nil for none.
  let objective: Double?
  /// What happened, as shares of the span from its beginning.
  let marks: [(share: Double, level: TopologyPage.Level)]

  var html: HTML {
    guard let (low, high) = series.range, let last = series.last else {
      return "<section class=\"chart\"><h3>\(title)</h3><p class=\"dim\">no samples in this span</p></section>\n"
    }
    let top = Self.top(of: max(high, objective ?? 0, 0), series.unit)
    let missing = series.points.count { $0 == nil }
    let gaps = missing > 0 ? "; \(missing) of \(series.points.count) points are missing" : ""
    let about = "\(title): lowest \(series.text(low)), highest \(series.text(high)), last \(series.text(last))\(gaps)"
    let wanted: HTML = objective.map { " <small class=\"dim\">objective \(series.text($0))</small>" } ?? ""
    let line: HTML = objective.map { "<path class=\"objective\" d=\"M0 \(y($0, top))H\(number(Self.width))\"/>" } ?? ""
    let marks: [HTML] = marks.map { mark in
      "<path class=\"mark \(mark.level.style)\" d=\"M\(number((mark.share * Self.width).rounded())) 0V\(number(Self.height))\"/>"
    }
    return """
      <section class="chart"><h3>\(title) <b>\(series.text(last))</b>\(wanted)</h3>
      <div class="plot"><span class="top">\(series.text(top))</span><span class="bottom">\(series.text(0))</span>\
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" preserveAspectRatio="none"><title>\(about)</title>\
      \(HTML.joined(marks))\(line)<path class="line" d="\(series.path { (x($1), y($0, top)) })"/></svg></div></section>

      """
  }

  /// The end of the axis: the next of 1, 2 and 5 times a power of ten; all of it where that is the most there can be.
  static func top(of value: Double, _ unit: TimeSeries.Unit) -> Double {
    if unit == .ratio, value <= 1 { return 1 }
    guard value > 0, value.isFinite else { return 1 }
    var step = 1e-6
    while step < 1e18 {
      for factor in [1.0, 2, 5] where step * factor >= value { return step * factor }
      step *= 10
    }
    return value
  }

  private func y(_ value: Double, _ top: Double) -> String {
    let share = min(max(0, value / top), 1)
    return number(((1 - share) * (Self.height - 4) * 10 + 20).rounded() / 10)
  }

  private func x(_ index: Int) -> String {
    number((Double(index) / Double(max(1, series.points.count - 1)) * Self.width * 10).rounded() / 10)
  }
}
