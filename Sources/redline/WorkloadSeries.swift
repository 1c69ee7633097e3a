import Config
import Fleet
import Metrics

/// What `/metrics` has of each workload: all of it, or within its `max_series`.
enum WorkloadSeries {
  static let limit = Family.gauge(
    "workload_series_limit", "Maximum number of series of the workload on /metrics, as max_series says.")
  static let count = Family.gauge(
    "workload_series", "Number of series of the workload, with those that /metrics leaves out.")
  static let leftOut = Family.gauge(
    "workload_series_left_out",
    "Number of series of the workload that /metrics leaves out since there are more than max_series, by family.",
    labels: ["family"])

  static let all = [limit, count, leftOut]

  /// What the sources of a workload are called begins with this.
  private static func prefix(_ workload: String) -> String { "\(workload)/" }

  /// What is known of the workload as a whole, its state and its findings: few series, and never left out.
  private static func ofWhole(_ workload: String) -> String { prefix(workload) + "workload/" }

  /// The page with each workload's series within its budget, and with what was left out.
  static func limited(_ page: Registry.Page, _ config: FleetConfig, _ exposition: Exposition) -> Registry.Page {
    let limited = config.workloads.filter { $0.maxSeries != nil }
    guard !limited.isEmpty else { return page }
    var sources = page.sources
    var told: [(key: String, samples: Samples)] = []
    for workload in limited {
      let prefix = prefix(workload.name)
      let places = page.keys.indices.filter { page.keys[$0].hasPrefix(prefix) }
      let members = places.filter { !page.keys[$0].hasPrefix(ofWhole(workload.name)) }
      let all = places.reduce(0) { $0 + page.sources[$1].count }
      let whole = all - members.reduce(0) { $0 + page.sources[$1].count }
      let budget = SeriesBudget(
        limit: max(0, (workload.maxSeries ?? .max) - whole), of: members.map { page.sources[$0] })
      for place in members { sources[place] = budget.limited(sources[place]) }
      var sink = SampleSink()
      sink.add(limit, Double(workload.maxSeries ?? 0))
      sink.add(count, Double(all))
      for (family, count) in budget.leftOut {
        sink.add(leftOut, Double(count), [.text(exposition.fullName(of: family))])
      }
      told.append((prefix + "budget", sink.finish(constantLabels: workload.seriesLabels)))
    }
    return Registry.Page(
      generation: page.generation, sources: sources + told.map(\.samples), keys: page.keys + told.map(\.key))
  }

  /// The sources of some workloads alone; of what belongs to none for an empty name.
  static func part(_ page: Registry.Page, of names: Set<String>, _ config: FleetConfig) -> Registry.Page {
    let prefixes = names.filter { !$0.isEmpty }.map(prefix)
    let all = config.workloads.map { prefix($0.name) }
    let places = page.keys.indices.filter { index in
      let key = page.keys[index]
      return prefixes.contains { key.hasPrefix($0) } || names.contains("") && !all.contains { key.hasPrefix($0) }
    }
    return Registry.Page(
      generation: page.generation, sources: places.map { page.sources[$0] }, keys: places.map { page.keys[$0] })
  }

  /// Why a name is none of a workload here; nil where it is one.
  static func problem(_ name: String, _ config: FleetConfig) -> String? {
    if name.isEmpty || config.workload(named: name) != nil { return nil }
    let shown = quoted(String(name.prefix(100)))
    if let share = config.share, let owner = share.owners[name] {
      return "workload \(shown) is watched by shard \(owner) of \(share.shard.count): ask that one"
    }
    return "there is no workload \(shown) here; /api/v1/fleet lists them"
  }
}
