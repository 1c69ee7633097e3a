/// A report that is handed on: sections of blocks, as one HTML file that needs nothing else, or as Markdown to paste.
public struct ReportPage: Sendable {
  public struct Section: Sendable {
    public var title: String
    public var blocks: [Block]

    public init(_ title: String, _ blocks: [Block]) {
      (self.title, self.blocks) = (title, blocks)
    }
  }

  public enum Block: Sendable {
    case text(String)
    case list([Item])
    case questions([Question])
    case table(Table)
    /// Only in HTML: what it says stands in tables, too.
    case timeline(Timeline)
    /// Only in HTML.
    case figures([WorkloadPage.Figure], Timeline)
  }

  /// An entry of a list.
  public struct Item: Sendable {
    public var text: String
    public var level: TopologyPage.Level
    /// What it rests on, or when; empty for nothing.
    public var note: String

    public init(_ text: String, _ level: TopologyPage.Level = .note, note: String = "") {
      (self.text, self.level, self.note) = (text, level, note)
    }
  }

  /// What a report should say, with its answer, or a blank for a person to fill in.
  public struct Question: Sendable {
    public var text: String
    /// Nil for a blank.
    public var answer: String?
    /// What is in the place of an answer; empty for nothing.
    public var hint: String

    public init(_ text: String, answer: String?, hint: String = "") {
      (self.text, self.answer, self.hint) = (text, answer, hint)
    }
  }

  public struct Table: Sendable {
    public var heads: [String]
    public var rows: [Row]

    public init(_ heads: [String], _ rows: [Row]) {
      (self.heads, self.rows) = (heads, rows)
    }
  }

  public struct Row: Sendable {
    public var cells: [String]
    /// Nil where it is neither good nor bad.
    public var level: TopologyPage.Level?

    public init(_ cells: [String], _ level: TopologyPage.Level? = nil) {
      (self.cells, self.level) = (cells, level)
    }
  }

  /// A span on whose axis something is drawn. Times are seconds since the epoch.
  public struct Timeline: Sendable {
    public var from: Double
    public var to: Double
    public var lanes: [Lane] = []
    public var marks: [(seconds: Double, level: TopologyPage.Level)] = []

    public init(from: Double, to: Double) {
      (self.from, self.to) = (from, max(to, from + 1))
    }

    /// Where a time is on the axis, 0 to 1.
    public func share(_ seconds: Double) -> Double { min(max(0, (seconds - from) / (to - from)), 1) }
  }

  public var title: String
  /// What somebody reads who reads nothing else.
  public var lead: String
  public var sections: [Section]
  /// When and from what it was made.
  public var foot: String

  public init(_ title: String, lead: String, sections: [Section], foot: String) {
    (self.title, self.lead, self.sections, self.foot) = (title, lead, sections, foot)
  }

  /// One file: styles inline, light and dark, no script, nothing from elsewhere.
  public var html: String {
    var layout = Layout(title: title, content: content)
    layout.styles = Self.styles
    return layout.standalone
  }
}
