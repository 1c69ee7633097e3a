import Runtime

extension ChecksPage {
  var content: HTML {
    """
    \(lead)\(choice)\(list)\(refusals)<p class="dim foot">\(notice) A check is overdue when its last run with a verdict is older than \
    <code>objectives.verified</code> allows. Checks never change the state of a workload. As of \(utc(nowSeconds)) UTC.</p>

    """
  }

  /// How it stands, in a sentence.
  private var lead: HTML {
    guard !entries.isEmpty else { return "" }
    let counts = [
      (entries.count { $0.newest?.verdict == "finding" }, "found something wrong"),
      (entries.count { $0.overdueSeconds != nil }, "overdue"),
      (entries.count { $0.newest?.verdict == "unknown" }, "unknown"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    let what = counts.isEmpty ? "all well" : counts.joined(separator: ", ")
    return "<p class=\"lead\">\(entries.count) \(entries.count == 1 ? "check" : "checks"): \(what).</p>\n"
  }

  private var choice: HTML { WorkloadChoice(path: "/checks", workload: workload, workloads: workloads).html }

  private var list: HTML {
    guard !entries.isEmpty else {
      return """
        <p>Nothing was verified yet, and nothing is asked for. A backup that was never restored and a failover that was never \
        tried are hopes: set <code>objectives.verified</code> in redline.yml and run the commands by timers.</p>

        """
    }
    let sorted = entries.enumerated().sorted {
      ($1.element.level, $0.offset) < ($0.element.level, $1.offset)
    }.map(\.element)
    let hidden = sorted.count - Self.entryLimit
    return """
      <ol class="records">
      \(HTML.joined(sorted.prefix(Self.entryLimit).map(html)))</ol>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further checks are not listed: choose a workload.</p>\n" : "")
      """
  }

  private func html(_ entry: Entry) -> HTML {
    let verdict = entry.newest?.verdict ?? "never ran"
    let objective: HTML =
      entry.objectiveSeconds.map { " · at least every \(span($0))" } ?? " · no objective"
    let overdue: HTML =
      entry.overdueSeconds.map { " · <b class=\"warning\">overdue by \(span($0))</b>" } ?? ""
    let last: HTML =
      entry.lastVerdict.map {
        "<p class=\"dim\">The last run with a verdict was \(clipped($0.verdict, to: 20)), \(moment($0.seconds, now: nowSeconds)).</p>\n"
      } ?? ""
    return """
      <li class="\(entry.level.style)"><h2>\(clipped(entry.check, to: 63)) of \
      <a href="/workload/\(pathEncoded(entry.workload))">\(clipped(entry.workload, to: 120))</a>: \
      <span class="state">\(clipped(verdict, to: 20))</span></h2>
      <p class="dim">\(clipped(entry.title, to: 120))\(ran(entry.newest))\(objective)\(overdue)</p>
      \(last)\(entry.newest.map(details) ?? "")\(command(entry.command))</li>

      """
  }

  private func ran(_ run: Run?) -> HTML {
    run.map { " · \(moment($0.endSeconds, now: nowSeconds)), it took \(span($0.endSeconds - $0.startSeconds))" } ?? ""
  }

  private func details(_ run: Run) -> HTML {
    let lines: [HTML] = run.lines.prefix(Self.lineLimit).map { line in
      let style =
        switch line.verdict {
        case "ok": "good"
        case "finding": "bad"
        default: "note"
        }
      return "<li class=\"\(style)\"><b>\(clipped(line.verdict, to: 20))</b> \(clipped(line.text, to: 600))</li>\n"
    }
    let hidden = run.lines.count - Self.lineLimit
    let numbers: [HTML] = run.numbers.prefix(Self.numberLimit).map {
      "<tr><td>\(clipped($0.name, to: 63))</td><td>\(number($0.value))</td></tr>\n"
    }
    let table: HTML =
      numbers.isEmpty
      ? ""
      : """
      <details><summary>Numbers</summary><div class="table" tabindex="0"><table><tbody>
      \(HTML.joined(numbers))</tbody></table></div></details>

      """
    let list: HTML = lines.isEmpty ? "" : "<ul class=\"findings\">\n\(HTML.joined(lines))</ul>\n"
    return """
      \(list)\(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further lines are not listed.</p>\n" : "")\(table)
      """
  }

  private func command(_ command: String?) -> HTML {
    command.map { "<p class=\"dim\">To run it:</p>\n<pre tabindex=\"0\">\(clipped($0, to: 400))</pre>\n" } ?? ""
  }

  private var refusals: HTML {
    guard !refused.isEmpty else { return "" }
    let items: [HTML] = refused.reversed().map {
      "<li class=\"bad\">\(moment($0.seconds, now: nowSeconds)) <b>\(clipped($0.name, to: 200)).bad</b>: \(clipped($0.reason, to: 400))</li>\n"
    }
    return "<h2>Files that were not taken</h2>\n<ul class=\"findings\">\n\(HTML.joined(items))</ul>\n"
  }

  static let styles: HTML = """

    .records { list-style: none; margin: .6rem 0; padding: 0; } .records > li { border-left: .25rem solid var(--tone);
      background: var(--card); padding: .3rem .8rem .6rem; margin: .7rem 0; color: inherit; }
    .records p { margin: .15rem 0; } .records h2 { margin: .2rem 0; } .records .findings li { background: var(--page); }
    .foot { font-size: .85rem; margin-top: 1.5rem; }
    @media (max-width: 42rem) { .records h2 a { display: inline-flex; align-items: center; min-height: 44px; min-width: 44px; } }
    """
}
