import Config
import Runtime

extension SwitchReport {
  /// For a terminal: a line for each that differs, then what differs and why, then what was assumed, and the verdict.
  public func text(columns: Int = 80) -> String {
    var lines: [String] = []
    if !items.isEmpty {
      lines += items.map { item in
        cut("\(padded(item.grade.rawValue, 8)) \(oneLine(item.query.title)): \(oneLine(item.what))", columns)
      }
      lines.append("")
    }
    for reason in reasons {
      lines += wrapped(reason.what, columns, "")
      if !reason.why.isEmpty { lines += wrapped("why: \(reason.why)", columns, "  ") }
      if !reason.advice.isEmpty { lines += wrapped("do: \(reason.advice)", columns, "  ") }
      if !reason.titles.isEmpty { lines += wrapped("in: \(reason.titles.joined(separator: ", "))", columns, "  ") }
      lines.append("")
    }
    lines += wrapped(
      "Same series: \(sameCount) of \(selectorCount) selectors"
        + (idleCount == 0 ? "" : "; \(idleCount) select nothing with either exporter"), columns, "")
    if !assumptions.isEmpty {
      lines.append("Taken for given:")
      for assumption in assumptions { lines += wrapped("- \(assumption)", columns, "  ", hanging: "  ") }
    }
    lines += wrapped(sentence, columns, "")
    return lines.joined(separator: "\n") + "\n"
  }

  private static let shownTitles = 8

  /// What differs, each once, with where it does.
  private var reasons: [(what: String, why: String, advice: String, titles: [String])] {
    var found: [(what: String, why: String, advice: String, titles: [String])] = []
    for item in items {
      let what = item.isOfOneQuery ? "\(item.query.title): \(item.what)" : item.what
      let titles = item.isOfOneQuery ? [] : [item.query.title]
      if let known = found.firstIndex(where: { $0.what == what }) {
        found[known].titles += titles
      } else {
        found.append((what, item.why, item.advice, titles))
      }
    }
    return found.map { one in
      let titles = one.titles.map { oneLine($0) }
      let further = titles.count - Self.shownTitles
      return (
        one.what, one.why, one.advice,
        titles.prefix(Self.shownTitles) + (further > 0 ? ["and \(further) more"] : [])
      )
    }
  }

  public var json: String {
    var json = JSONWriter()
    json.object { json in
      json.field("verdict", sentence)
      json.field("status", isLoss ? "lost" : status == 0 ? "same" : "unknown")
      json.field("rules", ruleCount)
      json.field("dashboards", dashboardCount)
      json.field("changedRules", changedRules)
      if let times {
        json.field("fromMilliseconds", times.lowerBound)
        json.field("throughMilliseconds", times.upperBound)
      }
      json.key("assumptions")
      json.strings(assumptions)
      json.key("selectors")
      json.lines { json in
        for (selector, effect) in effects.sorted(by: { $0.key < $1.key }) {
          json.object { json in
            json.field("selector", selector)
            json.field("effect", effect.rawValue)
          }
        }
      }
      json.key("items")
      json.lines { json in
        for item in items {
          json.object { json in
            json.field("grade", item.grade.rawValue)
            json.field("kind", item.query.kind.rawValue)
            json.field("name", item.query.name)
            json.field("place", item.query.place)
            json.field("query", item.query.text)
            json.field("what", item.what)
            json.field("why", item.why)
            json.field("advice", item.advice)
          }
        }
      }
    }
    json.verbatim("\n")
    return json.text
  }

  // MARK: Words

  private func padded(_ text: String, _ width: Int) -> String {
    text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
  }

  private func cut(_ line: String, _ columns: Int) -> String {
    line.count > columns ? line.prefix(columns - 1) + "…" : line
  }

  private func wrapped(_ text: String, _ columns: Int, _ indent: String, hanging: String = "    ") -> [String] {
    var lines: [String] = []
    var line = indent
    var isEmpty = true
    for word in oneLine(text).split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > columns {
        lines.append(line)
        line = indent + (indent.isEmpty ? "  " : hanging)
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return isEmpty ? lines : lines + [line]
  }
}

extension WallTime {
  /// `2026-11-29 14:05 UTC`
  var minuteText: String {
    "\(Timestamp(epochMs: epochMs))".prefix(16).replacing("T", with: " ") + " UTC"
  }
}
