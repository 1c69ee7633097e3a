/// The page at `/graph?g0.expr=…`, where the links of alerts lead: what the expression of a rule gives now, and which rule
/// it is.
public struct GraphPage: Sendable {
  /// A rule that evaluates the expression.
  public struct Rule: Sendable {
    public var name: String
    public var group: String
    public var file: String
    /// `firing`, `pending` or `inactive`; empty for a recording rule.
    public var state: String
    public var hasRunbook: Bool

    public init(name: String, group: String, file: String, state: String, hasRunbook: Bool) {
      self.name = name
      self.group = group
      self.file = file
      self.state = state
      self.hasRunbook = hasRunbook
    }
  }

  public struct Sample: Sendable {
    /// `name{label="value"}`
    public var series: String
    public var value: String

    public init(series: String, value: String) {
      self.series = series
      self.value = value
    }
  }

  public enum Result: Sendable {
    /// At most ``sampleLimit`` are shown.
    case samples([Sample])
    /// Why there is none.
    case problem(String)
  }

  /// One expression of the address.
  public struct Panel: Sendable {
    public var expression: String
    public var result: Result
    public var rules: [Rule]

    public init(_ expression: String, _ result: Result, rules: [Rule]) {
      self.expression = expression
      self.result = result
      self.rules = rules
    }
  }

  public static let sampleLimit = 200
  /// The most expressions of one address.
  public static let panelLimit = 5
  static let ruleLimit = 20

  public var metricsPath: String
  public var panels: [Panel]
  public var nowSeconds: Double

  public init(metricsPath: String, panels: [Panel], nowSeconds: Double) {
    self.metricsPath = metricsPath
    self.panels = panels
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: "Expression", content: content)
    layout.navigation = Navigation(.alerts, metricsPath: metricsPath)
    return layout.response()
  }

  private var content: HTML {
    guard !panels.isEmpty else {
      return """
        <p class="dim">An alert leads here with its expression, as <code>/graph?g0.expr=up</code> does. All rules are at \
        <a href="/alerts">Alerts</a>.</p>
        """
    }
    return """
      <p class="dim screen">As of \(utc(nowSeconds)) UTC, of what this redline keeps.</p>
      \(HTML.joined(panels.prefix(Self.panelLimit).map(section)))
      """
  }

  private func section(_ panel: Panel) -> HTML {
    """
    <section>
    <pre tabindex="0"><code>\(clipped(panel.expression, to: 4000))</code></pre>
    \(rules(panel.rules))\(result(panel.result))</section>

    """
  }

  private func rules(_ rules: [Rule]) -> HTML {
    guard !rules.isEmpty else { return "<p class=\"dim\">No rule that is loaded has this expression.</p>\n" }
    let hidden = rules.count - Self.ruleLimit
    let items: [HTML] = rules.prefix(Self.ruleLimit).map { rule in
      let state: HTML = rule.state.isEmpty ? "records" : "<a href=\"/alerts\">\(rule.state)</a>"
      let runbook: HTML = rule.hasRunbook ? " · <a href=\"/runbooks/\(pathEncoded(rule.name))\">Runbook</a>" : ""
      return """
        <li><b>\(clipped(rule.name))</b> \(state)\(runbook) <span class="dim">\(clipped(rule.group)), \
        \(clipped(rule.file))</span></li>

        """
    }
    return """
      <h2>\(rules.count == 1 ? "Its rule" : "Its rules")</h2>
      <ul>
      \(HTML.joined(items))\(html: hidden > 0 ? "<li class=\"dim\">\(hidden) further rules are not listed.</li>\n" : "")</ul>

      """
  }

  private func result(_ result: Result) -> HTML {
    switch result {
    case .problem(let text): return "<h2>Result</h2>\n<p class=\"bad\">\(clipped(text, to: 1000))</p>\n"
    case .samples(let samples):
      guard !samples.isEmpty else { return "<h2>Result</h2>\n<p>It gives nothing now.</p>\n" }
      let hidden = samples.count - Self.sampleLimit
      let rows: [HTML] = samples.prefix(Self.sampleLimit).map {
        "<tr><td>\(clipped($0.series, to: 1000))</td><td>\(clipped($0.value, to: 200))</td></tr>\n"
      }
      return """
        <h2>Result</h2>
        <div class="table"><table>
        <thead><tr><th scope="col">Series</th><th scope="col">Value</th></tr></thead>
        <tbody>
        \(HTML.joined(rows))</tbody></table></div>
        \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further series are not listed.</p>\n" : "")
        """
    }
  }
}
