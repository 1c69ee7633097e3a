/// One number over a span of time, with its axis, its objective and what happened meanwhile.
///
/// The axis begins at 0, as no number here is less: a small change looks small.
struct Chart {
  static let width = 600.0
  private static let height = 90.0

  let title: String
  let series: TimeSeries
  /// nil for none.
  var objective: Double?
  /// What happened, as shares of the span from its beginning.
  var marks: [(share: Double, level: TopologyPage.Level)] = []
  /// The newest value with its unit; nil for that of the series.
  var value: String?
  /// What is said beside the value; empty for nothing.
  var note = ""
  /// Of the value.
  var level = TopologyPage.Level.good
  /// `as of 03:44:50 UTC`, where the value is not current.
  var asOf: HTML?

  var html: HTML {
    let time: HTML = asOf.map { " \($0)" } ?? ""
    let heading: HTML = """
      <h3>\(title) \(shownValue)\(html: note.isEmpty ? "" : " <small class=\"dim\">\(clipped(note))</small>")\(wanted)\(time)</h3>
      """
    let style = asOf == nil ? "" : " stale"
    guard let (low, high) = series.range, let last = series.last else {
      return "<section class=\"chart\(style)\">\(heading)<p class=\"dim\">no samples in this span</p></section>\n"
    }
    let top = Self.top(of: max(high, objective ?? 0, 0), series.unit)
    let missing = series.points.count { $0 == nil }
    let gaps = missing > 0 ? "; \(missing) of \(series.points.count) points are missing" : ""
    let about = "\(title): lowest \(series.text(low)), highest \(series.text(high)), last \(series.text(last))\(gaps)"
    let line: HTML = objective.map { "<path class=\"objective\" d=\"M0 \(y($0, top))H\(number(Self.width))\"/>" } ?? ""
    let marks: [HTML] = marks.map { mark in
      "<path class=\"mark \(mark.level.style)\" d=\"M\(number((mark.share * Self.width).rounded())) 0V\(number(Self.height))\"/>"
    }
    return """
      <section class="chart\(style)">\(heading)
      <div class="plot"><span class="top">\(series.text(top))</span><span class="bottom">0</span>\
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" preserveAspectRatio="none"><title>\(about)</title>\
      \(HTML.joined(marks))\(line)<path class="line" d="\(series.path { (x($1), y($0, top)) })"/></svg></div></section>

      """
  }

  private var shownValue: HTML {
    let text = value ?? series.last.map(series.text) ?? ""
    guard !text.isEmpty else { return "" }
    return level == .good ? "<b>\(clipped(text))</b>" : "<b class=\"\(level.style)\">\(clipped(text))</b>"
  }

  private var wanted: HTML {
    objective.map { " <small class=\"dim\">objective \(series.text($0))</small>" } ?? ""
  }

  /// The times of day below charts of that span.
  static func ticks(from start: Double, seconds: Double) -> HTML {
    let ticks: [HTML] = (0...4).map { index in
      let time = utc(start + seconds * Double(index) / 4)
      return "<span>\(String(time.suffix(8).prefix(5)))</span>"
    }
    return "<div class=\"ticks\" aria-hidden=\"true\">\(HTML.joined(ticks))</div>"
  }

  /// The end of the axis: the next of 1, 2 and 5 times a power of ten, of bytes the next power of two; all of it where that is
  /// the most there can be.
  static func top(of value: Double, _ unit: TimeSeries.Unit) -> Double {
    if unit == .ratio, value <= 1 { return 1 }
    guard value > 0, value.isFinite else { return 1 }
    if unit == .bytes {
      return value <= 1
        ? 1 : Double(sign: .plus, exponent: Int(value.exponent) + (value.significand > 1 ? 1 : 0), significand: 1)
    }
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

  static let styles: HTML = """
    .charts { margin: .5rem 0; } .chart { margin: 0 0 .75rem; }
    .chart h3 { margin: 0; font-size: .9rem; color: var(--dim); font-weight: 600; } .chart h3 b { color: var(--text); }
    .chart h3 b[class] { color: var(--tone); } .chart h3 small { font-weight: 400; }
    .plot { position: relative; padding-left: 4.5rem; }
    .plot span { position: absolute; left: 0; width: 4.1rem; text-align: right; font-size: .75rem; color: var(--dim); }
    .plot .top { top: -.4rem; } .plot .bottom { bottom: -.2rem; }
    .plot svg { display: block; width: 100%; height: 5rem; border-bottom: 1px solid var(--line); border-left: 1px solid var(--line); }
    .plot path { fill: none; vector-effect: non-scaling-stroke; }
    .plot .line { stroke: var(--link); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
    .plot .objective { stroke: var(--dim); stroke-width: 1; stroke-dasharray: 4 4; }
    .plot .mark { stroke: var(--tone); stroke-width: 1.5; opacity: .7; }
    .ticks { display: flex; justify-content: space-between; padding-left: 4.5rem; font-size: .75rem; color: var(--dim);
      font-variant-numeric: tabular-nums; }
    """
}

/// What lasted for some time within a span, as bars on its axis: an alert that fired, a window that was open.
public struct Lane: Sendable {
  public var title: String
  public var level: TopologyPage.Level
  /// As shares of the span from its beginning, in order.
  public var bars: [(from: Double, to: Double)]

  public init(_ title: String, _ level: TopologyPage.Level, bars: [(from: Double, to: Double)]) {
    (self.title, self.level, self.bars) = (title, level, bars)
  }

  /// Bars over the points of a series that are above 0.
  public init?(_ title: String, _ level: TopologyPage.Level, of points: [Double?]) {
    var bars: [(from: Double, to: Double)] = []
    let width = 1 / Double(max(1, points.count))
    for (index, point) in points.enumerated() where (point ?? 0) > 0 {
      let (from, to) = (Double(index) * width, Double(index + 1) * width)
      if let last = bars.last, from - last.to < width / 2 {
        bars[bars.count - 1].to = to
      } else {
        bars.append((from, to))
      }
    }
    guard !bars.isEmpty else { return nil }
    self.init(title, level, bars: bars)
  }

  var html: HTML {
    let rects: [HTML] = bars.map { bar in
      let (from, to) = (min(max(0, bar.from), 1), min(max(0, bar.to), 1))
      return
        "<rect x=\"\(number((from * Chart.width).rounded()))\" width=\"\(number(max(2, ((to - from) * Chart.width).rounded())))\" height=\"10\"/>"
    }
    return """
      <div class="lane \(level.style)"><span>\(clipped(title, to: 120))</span>\
      <svg viewBox="0 0 \(Int(Chart.width)) 10" preserveAspectRatio="none" aria-hidden="true">\(HTML.joined(rects))</svg></div>

      """
  }

  static let styles: HTML = """
    .lane { margin: 0 0 .35rem; padding-left: 4.5rem; } .lane span { font-size: .8rem; color: var(--tone); font-weight: 600; }
    .lane svg { display: block; width: 100%; height: .6rem; background: var(--track); } .lane rect { fill: var(--tone); }
    """
}
