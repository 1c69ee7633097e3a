import Runtime

extension KeyspacePage {
  var content: HTML {
    """
    \(links)\(main)\(largeKeys?.content ?? "")\(html: pause.isEmpty ? "" : "<p><b class=\"warning\">There was no new sample:</b> \(clipped(pause, to: 300)).</p>\n")
    """
  }

  private var links: HTML {
    let name = pathEncoded(workload)
    return """
      <p class="screen"><a href="/workload/\(name)">Timeline</a> · <a href="/events?workload=\(name)">Events</a> · \
      <a href="/checks?workload=\(name)">Checks</a></p>

      """
  }

  private var main: HTML {
    switch state {
    case .off: return Self.howToTurnOn
    case .waiting(let reason):
      return """
        <p class="lead">\(clipped(reason, to: 300)). \(next)</p>
        <p class="dim">A sample takes a minute or some, and not more of the servers' time than <code>keywork.duty-ratio</code>.</p>

        """
    case .sampled(let sample):
      return """
        \(trust(sample))<h2>\(growthTitle)</h2>
        \(growth(sample))<h2>Prefixes</h2>
        \(table(sample))\(foot(sample))
        """
    }
  }

  private static let howToTurnOn: HTML = """
    <p class="lead">The keys of this workload are not sampled.</p>
    <p>A sample says which prefixes hold the keys and the memory, what grows, what never expires, and what expires all at once. To turn it on, give the \
    workload this block in <code>redline.yml</code>:</p>
    <pre tabindex="0">keyspace: { every: 15m, sample: 20000 }</pre>
    <p>It costs the servers 1 % of their time at most (<code>keywork.duty-ratio</code>) and writes nothing. The user needs \
    <code>+info +scan +memory|usage +pttl ~*</code>: <code>redline acl</code> prints all its rights. For one look, without the daemon, there \
    is <code>redline keys ADDRESS</code>.</p>

    """

  private var next: HTML {
    switch turn {
    case .unknown: "The first sample begins within half a minute after its servers are known."
    case .due(let seconds) where seconds <= nowSeconds: "The next sample is due now."
    case .due(let seconds): "The next sample is due at \(coming(seconds))."
    case .underWay: "A sample is under way."
    }
  }

  /// A moment to come, with the date where that is not today's.
  private func coming(_ seconds: Double) -> HTML {
    let (text, today) = (utc(seconds), utc(nowSeconds))
    let shown = text.prefix(10) == today.prefix(10) ? String(text.suffix(8)) : text
    let distance = seconds - nowSeconds
    let when = distance >= 0 ? "in \(span(distance))" : age(-distance)
    return """
      <time datetime="\(text.replacing(" ", with: "T") + "Z")">\(shown)</time>&nbsp;UTC <span class="dim">(\(when))</span>
      """
  }

  private static func bytes(_ value: Double) -> String { size(Int(clamping: value)) }

  private func trust(_ sample: Sample) -> HTML {
    sample.isComplete == false
      ? """
      <p class="lead"><b class="warning">Memory by prefix is not to be trusted:</b> single large keys were missed, or met by chance.</p>

      """ : ""
  }

  // MARK: What grew

  private var growthTitle: String {
    growthSeconds == 86_400 ? "Grew since yesterday" : "Grew in the last \(span(growthSeconds))"
  }

  private func growth(_ sample: Sample) -> HTML {
    switch sample.comparison {
    case .with(let seconds):
      let sure = sample.rows.prefix(Self.rowLimit).compactMap { row in
        row.change.flatMap { $0.mayBeZero ? nil : (row.prefix, $0) }
      }.sorted { ($1.1.value, $0.0) < ($0.1.value, $1.0) }
      let about: HTML = "<p class=\"dim\">Compared with the same places at \(moment(seconds, now: nowSeconds)).</p>\n"
      guard !sure.isEmpty else { return "<p>No prefix surely grew or shrank.</p>\n\(about)" }
      let items: [HTML] = sure.map { prefix, change in
        """
        <li class="\(change.value > 0 ? "warning" : "note")"><code>\(clipped(prefix, to: 128))</code> \
        <b>\(change.change(Self.bytes))</b></li>

        """
      }
      return "<ul class=\"findings\">\n\(HTML.joined(items))</ul>\n\(about)"
    case .begun(let since, let reason):
      let told = since + growthSeconds
      let from: HTML = told > nowSeconds ? " What grew is told from \(coming(told)) on." : ""
      return """
        <p>Unknown: \(clipped(reason, to: 200)). Samples to compare with begin at \(moment(since, now: nowSeconds)).\(from)</p>

        """
    case .none(let reason): return "<p>Unknown: \(clipped(reason, to: 200)).</p>\n"
    }
  }

  // MARK: The table

  private func table(_ sample: Sample) -> HTML {
    guard !sample.rows.isEmpty else {
      return sample.keyTotal == 0 ? "<p>There are no keys.</p>\n" : "<p>Unknown: the sample met no keys.</p>\n"
    }
    let all = sample.rows.reduce(0) { $0 + ($1.memory?.value ?? 0) }
    let hidden = sample.rows.count - Self.rowLimit
    return """
      <div class="table keys" tabindex="0"><table>
      <thead><tr><th scope="col">Prefix</th><th scope="col">Memory</th><th scope="col">Keys</th><th scope="col">Without TTL</th>\
      <th scope="col">Change</th><th scope="col">Next expiry wave</th></tr></thead>
      <tbody>
      \(HTML.joined(sample.rows.prefix(Self.rowLimit).map { row($0, of: all) }))</tbody></table></div>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further prefixes are not listed.</p>\n" : "")
      """
  }

  private func row(_ row: Row, of all: Double) -> HTML {
    """
    <tr><th scope="row"><code>\(clipped(row.prefix, to: 128))</code></th><td>\(memory(row.memory, of: all))</td>\
    <td><span class="phone">keys </span>\(row.keys.text(Estimate.count))</td>\
    <td><span class="phone">without TTL </span>\(row.keysWithoutTTL.map { "\($0.text(Estimate.count))" } ?? Self.unknown)</td>\
    <td><span class="phone">change </span>\(change(row.change))</td>\
    <td><span class="phone">wave </span>\(wave(row.expiry))</td></tr>

    """
  }

  private static let unknown: HTML = "<span class=\"dim\">unknown</span>"

  /// The bar is the share of all prefixes together.
  private func memory(_ memory: Estimate?, of all: Double) -> HTML {
    guard let memory else { return "<span class=\"phone\">memory </span>\(Self.unknown)" }
    let ratio = all > 0 ? memory.value / all : 0
    let share = Int(clamping: (min(max(0, ratio.isFinite ? ratio : 0), 1) * 100).rounded())
    return """
      <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="\(share)" height="10"/></svg>\
      \(memory.text(Self.bytes))
      """
  }

  /// In grey where it may be none.
  private func change(_ change: Estimate?) -> HTML {
    guard let change else { return Self.unknown }
    let text = change.change(Self.bytes)
    return change.mayBeZero ? "<span class=\"dim\">\(text)</span>" : "<b>\(text)</b>"
  }

  private func wave(_ expiry: Expiry) -> HTML {
    switch expiry {
    case .unknown: return Self.unknown
    case .none: return "<span class=\"dim\">none</span>"
    case .coming(let wave):
      return """
        \(wave.keys.text(Estimate.count)) \(wave.isSecond ? "at" : "in the minute from") \(coming(wave.seconds))
        """
    }
  }

  // MARK: The footer

  private func foot(_ sample: Sample) -> HTML {
    let seen = Estimate.count(Double(sample.seenCount))
    let share = sample.areAllKeys ? "All \(seen)" : "\(seen) of \(Estimate.count(sample.keyTotal))"
    let bounds = sample.areAllKeys ? "" : " Bounds hold the truth 95 times in 100."
    let remarks: [HTML] = sample.remarks.prefix(Self.remarkLimit).map { "<li>\(clipped($0, to: 300))</li>\n" }
    return """
      <h2>How far to believe it</h2>
      <ul class="foot">
      <li>\(share) keys were looked at, from \(moment(sample.beganSeconds, now: nowSeconds)) on, in \(span(sample.tookSeconds)).\(bounds) \(next)</li>
      <li>Read: \(readers(sample.servers)).</li>
      <li>\(attributed(sample))</li>
      <li>\(crowding(sample))</li>
      \(HTML.joined(remarks))</ul>

      """
  }

  private func readers(_ servers: [Server]) -> HTML {
    guard !servers.isEmpty else { return "unknown" }
    let more = servers.count - Self.serverLimit
    let names = servers.prefix(Self.serverLimit).enumerated().map { place, server -> HTML in
      let name: HTML =
        server.isMember
        ? "<a href=\"/node/\(pathEncoded(server.name))\">\(clipped(server.name, to: 80))</a>"
        : "\(clipped(server.name, to: 80))"
      return "\(place > 0 ? ", " : "")\(name) (\(clipped(server.about, to: 80)))"
    }
    return "\(HTML.joined(names))\(more > 0 ? " and \(more) more" : "")"
  }

  private func attributed(_ sample: Sample) -> HTML {
    guard let ratio = sample.attributedRatio else {
      return "How much of the servers' memory the prefixes come to is unknown."
    }
    let verdict =
      switch sample.isComplete {
      case true?: ": complete."
      case false?: ": <b class=\"warning\">not complete</b>. From 85 to 115 % it would be."
      case nil: ", which says nothing of so little data."
      } as HTML
    return "The prefixes come to \(Estimate.percent(ratio)) of the memory that the servers count as data\(verdict)"
  }

  private func crowding(_ sample: Sample) -> HTML {
    guard let ratio = sample.crowdingRatio else {
      return "Whether TTLs are spread is unknown: fewer than 1,000 of the keys that were looked at expire."
    }
    let advice: HTML =
      sample.isCrowded ? ": <b class=\"warning\">too much alike</b>. Add a random tenth to each TTL." : "."
    return "Of the keys that expire, \(Estimate.percent(ratio)) do so in the fullest second\(advice)"
  }

  static let styles: HTML = """

    .bar { width: 6rem; height: .6rem; margin-right: .5rem; background: var(--track); border-radius: .2rem; }
    .bar rect { fill: var(--good); } .phone { display: none; } .foot { font-size: .85rem; padding-left: 1.2rem; }
    .keys tbody th { color: inherit; overflow-wrap: anywhere; min-width: 8rem; }
    @media (max-width: 42rem) {
      .phone { display: inline; color: var(--dim); } .keys thead { display: none; } .keys table, .keys tbody { display: block; }
      .keys tr { display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: .35rem 0; border-bottom: 1px solid var(--line); }
      .keys td, .keys tbody th { border: 0; padding: 0; } .keys tbody th { width: 100%; }
      .screen a, .foot a { display: inline-flex; align-items: center; min-height: 44px; min-width: 44px; }
    }
    """
}
