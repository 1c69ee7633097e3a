import Runtime

/// An error budget of a workload, drawn: what is left of 30 days, how fast it is used, and since when that is known.
public struct BudgetBar: Sendable {
  /// `Availability 99.9 %`, `Latency 99 % within 10 ms`.
  public var title: String
  /// The share that is left, below 0 once more is used; nil while too little is known.
  public var remainingRatio: Double?
  /// How many times faster than in 30 days it is used, over the last hour; nil while too little is known.
  public var burn: Double?
  /// Of the last 30 days.
  public var badSeconds: Double
  public var knownSeconds: Double
  /// Seconds since the epoch; nil while nothing is known.
  public var knownSinceSeconds: Double?

  /// Less than this share left is little; so is what burns as fast as the alert pages at.
  private static let lowRatio = 0.1
  private static let highBurn = 14.4
  private static let allSeconds = 30.0 * 86_400

  public init(_ title: String, badSeconds: Double, knownSeconds: Double) {
    self.title = title
    self.badSeconds = badSeconds
    self.knownSeconds = knownSeconds
  }

  static func list(_ bars: [BudgetBar], now: Double) -> HTML {
    guard !bars.isEmpty else { return "" }
    let items: [HTML] = bars.map { $0.html(now: now) }
    return """
      <ul class="budgets">
      \(HTML.joined(items))</ul>

      """
  }

  private var isLow: Bool { remainingRatio.map { $0 < Self.lowRatio } ?? false }

  private func html(now: Double) -> HTML {
    "<li><span class=\"dim\">\(clipped(title))</span> \(left)\(rate) <small>\(clipped(known))\(since(now))</small></li>\n"
  }

  private var left: HTML {
    guard let ratio = remainingRatio else {
      return "<b class=\"dim\">–</b> <span class=\"dim\">of the budget left</span>"
    }
    let share = Int(clamping: (min(max(0, ratio), 1) * 100).rounded())
    let text: HTML = ratio < 0 ? "\(percent(1 - ratio)) of the budget used" : "\(floored(ratio)) of the budget left"
    return """
      <svg class="bar\(isLow ? " high" : "")" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">\
      <rect width="\(share)" height="10"/></svg><b class="\(isLow ? "warning" : "plain")">\(text)</b>
      """
  }

  /// What is used a little is not all left.
  private func floored(_ ratio: Double) -> String {
    ratio < 1 && ratio > 0.9 ? "\((ratio * 1000).rounded(.down) / 10) %" : percent(ratio)
  }

  private var rate: HTML {
    guard let burn else { return "" }
    let shown = (burn * (burn < 10 ? 100 : 10)).rounded() / (burn < 10 ? 100 : 10)
    let style = burn >= Self.highBurn ? "warning" : "plain"
    return ", <span class=\"\(style)\">burns \(number(shown))×</span> <span class=\"dim\">over the last hour</span>"
  }

  private var known: String {
    let bad = "\(span(badSeconds)) bad"
    if knownSeconds >= Self.allSeconds * 0.99 { return "\(bad) in 30 d" }
    guard knownSeconds > 0 else { return "nothing is known yet" }
    let need = remainingRatio == nil ? ", an hour is needed" : ""
    return "\(bad) in \(span(knownSeconds)) known of 30 d\(need)"
  }

  private func since(_ now: Double) -> HTML { knownSinceSeconds.map { ", since \(moment($0, now: now))" } ?? "" }

  static let styles: HTML = """

    .budgets { list-style: none; margin: .25rem 0 .5rem; padding: 0; } .budgets small { color: var(--dim); }
    .budgets li { margin: .15rem 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
    """
}
