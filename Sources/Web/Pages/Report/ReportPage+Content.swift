extension ReportPage {
  var content: HTML {
    let sections: [HTML] = sections.map { section in
      "<h2>\(section.title)</h2>\n\(HTML.joined(section.blocks.map { $0.html }))"
    }
    return """
      <p class="lead">\(lead)</p>
      \(HTML.joined(sections))<p class="dim foot">\(foot)</p>
      """
  }

  static let styles: HTML = """

    \(Chart.styles)
    \(Lane.styles)
    .lane, .plot, .ticks { padding-left: 0; } .plot span { position: static; display: block; text-align: left; width: auto; }
    .plot .bottom { display: none; } .lane { margin-bottom: .45rem; } .axis { margin: .8rem 0 1.2rem; position: relative; }
    .points { display: block; width: 100%; height: .9rem; } .points path { stroke: var(--tone); stroke-width: 2;
      vector-effect: non-scaling-stroke; }
    .answers { list-style: none; padding: 0; margin: .4rem 0; }
    .answers li { border-left: .25rem solid var(--good); padding: .15rem .7rem; margin: .3rem 0; background: var(--card); }
    .answers li.open { border-left-style: dashed; border-left-color: var(--warning); }
    .answers b { font-weight: 600; } .blank { color: var(--warning); }
    td.level { color: var(--tone); font-weight: 600; } .foot { margin-top: 2rem; font-size: .85rem; }
    .table td:first-child { white-space: nowrap; }
    @media (max-width: 42rem) {
      .table thead { position: absolute; left: -99rem; } .table tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
      .table td { display: block; border: 0; padding: 0; } .table td:first-child { font-weight: 600; white-space: normal; }
      .table td[data-head]:not(:first-child)::before { content: attr(data-head) ": "; color: var(--dim); font-weight: 400; }
      .table td:empty { display: none; }
    }
    """
}

extension ReportPage.Block {
  var html: HTML {
    switch self {
    case .text(let text): return "<p>\(text)</p>\n"
    case .list(let items):
      let rows: [HTML] = items.map { item in
        let note: HTML = item.note.isEmpty ? "" : " <span class=\"dim\">\(item.note)</span>"
        return "<li class=\"\(item.level.style)\">\(item.text)\(note)</li>\n"
      }
      return "<ul class=\"findings\">\n\(HTML.joined(rows))</ul>\n"
    case .questions(let questions):
      return "<ul class=\"answers\">\n\(HTML.joined(questions.map { $0.html }))</ul>\n"
    case .table(let table): return table.html
    case .timeline(let timeline): return timeline.html
    case .figures(let figures, let timeline):
      let marks = timeline.marks.map { (share: timeline.share($0.seconds), level: $0.level) }
      let charts: [HTML] = figures.map { figure in
        // The newest value says nothing about a span that is over.
        Chart(
          title: figure.title, series: figure.series, objective: figure.objective, marks: marks, value: "",
          note: figure.note
        ).html
      }
      return "<div class=\"charts\">\n\(HTML.joined(charts))\(timeline.ticks)</div>\n"
    }
  }
}

extension ReportPage.Question {
  var html: HTML {
    guard let answer else {
      let hint: HTML = hint.isEmpty ? "" : " <span class=\"dim\">\(hint)</span>"
      return "<li class=\"open\"><b>\(text):</b> <span class=\"blank\">to be filled in</span>\(hint)</li>\n"
    }
    return "<li><b>\(text):</b> \(answer)</li>\n"
  }
}

extension ReportPage.Table {
  var html: HTML {
    let heads: [HTML] = heads.map { "<th scope=\"col\">\($0)</th>" }
    let rows: [HTML] = rows.map { row in
      let cells: [HTML] = row.cells.enumerated().map { index, cell in
        let head = index < self.heads.count ? self.heads[index] : ""
        // The last cell tells how it is.
        let style: HTML =
          index == row.cells.count - 1 ? row.level.map { " class=\"level \($0.style)\"" } ?? "" : ""
        return "<td\(style) data-head=\"\(head)\">\(cell)</td>"
      }
      return "<tr>\(HTML.joined(cells))</tr>\n"
    }
    return """
      <div class="table"><table>
      <thead><tr>\(HTML.joined(heads))</tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div>

      """
  }
}

extension ReportPage.Timeline {
  var html: HTML {
    let points: [HTML] = marks.map { mark in
      let x = number((share(mark.seconds) * Chart.width).rounded())
      return "<path class=\"\(mark.level.style)\" d=\"M\(x) 0V12\"/>"
    }
    let line: HTML =
      points.isEmpty
      ? ""
      : """
      <svg class="points" viewBox="0 0 \(Int(Chart.width)) 12" preserveAspectRatio="none" aria-hidden="true">\(HTML.joined(points))</svg>

      """
    return "<div class=\"axis\">\n\(HTML.joined(lanes.map { $0.html }))\(line)\(ticks)</div>\n"
  }

  /// Five times of day, with seconds where the span is short; of more than a day the dates.
  var ticks: HTML {
    let ticks: [HTML] = (0...4).map { index in
      let text = utc(from + (to - from) * Double(index) / 4)
      let shown =
        to - from > 86_400 ? text.dropFirst(5).prefix(11) : to - from < 600 ? text.suffix(8) : text.suffix(8).prefix(5)
      return "<span>\(String(shown))</span>"
    }
    return "<div class=\"ticks\" aria-hidden=\"true\">\(HTML.joined(ticks))</div>\n"
  }
}
