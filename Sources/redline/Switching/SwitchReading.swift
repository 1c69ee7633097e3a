import Alerting
import PromQL
import Runtime

/// What a Prometheus knows of a switch: the targets of both exporters, their series now, and the past for the rules.
struct SwitchReading {
  let prometheus: PrometheusReader
  let namespace: String
  /// Says how far it is, on one line; the last is empty.
  let progress: (String) -> Void

  /// So many servers stand for all in what is compared series by series.
  private static let sampledTargets = 20
  private static let hour: Int64 = 3_600_000
  private static let longestWarmUp = 48 * hour
  private static let samplesLimit = 100_000_000

  /// Every server that one of the exporters is scraped for.
  func targets(atMilliseconds now: Int64) async throws(AskedServer.Failure) -> [SwitchTarget] {
    progress("asking Prometheus which exporters it scrapes")
    func place(_ labels: Labels) -> [String] { [labels["job"] ?? "", labels["instance"] ?? ""] }
    let seen = try await prometheus.series("\(namespace)_up", atMilliseconds: now).map(\.labels)
    guard !seen.isEmpty else { return [] }
    let redlines = Set(
      try await prometheus.series("\(namespace)_exporter_target_state{state=\"up\"}", atMilliseconds: now)
        .map { place($0.labels) })
    var runIDs: [[String]: String] = [:]
    for info in try await prometheus.series("\(namespace)_instance_info", atMilliseconds: now) {
      runIDs[place(info.labels)] = info.labels["run_id"]
    }
    var labels: [[String]: Labels] = [:]
    for up in try await prometheus.series("up", atMilliseconds: now) { labels[place(up.labels)] = up.labels }
    return Dictionary(grouping: seen, by: place).keys.sorted { $0.lexicographicallyPrecedes($1) }.map { place in
      let own = labels[place]?.pairs.filter { $0.name != Labels.metricName }
      return SwitchTarget(
        labels: Labels(own ?? [Labels.Pair("job", place[0]), Labels.Pair("instance", place[1])]),
        runID: runIDs[place], isRedline: redlines.contains(place))
    }
  }

  /// The series of some targets as their exporters serve them: without the labels of the target.
  func served(by targets: [SwitchTarget], atMilliseconds now: Int64) async throws(AskedServer.Failure) -> ServedSeries {
    var served = ServedSeries()
    for target in targets.prefix(Self.sampledTargets) {
      progress("reading the series of \(target.labels["instance"] ?? "a target")")
      let pairs = Set(target.labels.pairs)
      for series in try await prometheus.series(target.selector, atMilliseconds: now) {
        let name = series.labels[Labels.metricName] ?? ""
        guard name != "up", !name.hasPrefix("scrape_"), !name.contains(":"), !name.hasPrefix("ALERTS") else { continue }
        served.add(Labels(series.labels.pairs.filter { !pairs.contains($0) }))
      }
      for (family, type) in try await prometheus.types(of: target) where type != "unknown" {
        served.setType(type, of: family)
      }
    }
    return served
  }

  /// Replays the rules over the last days.
  func replay(_ check: SwitchCheck, days: Int, nowMilliseconds now: Int64) async throws -> SwitchReport.Replay {
    let start = now - Int64(days) * 24 * Self.hour
    let readings = check.readings
    let reach = readings.map(\.reachMilliseconds).max() ?? 0
    let begin = start - min(check.warmUpMilliseconds, Self.longestWarmUp) - 2 * 60_000
    var replay = SwitchReplay(
      check.groups, history: SwitchHistory(check.targets, comparison: check.comparison),
      dialect: check.groups.first?.rules.first?.query.dialect ?? .prometheus3, beginMilliseconds: begin,
      startMilliseconds: start, endMilliseconds: now)
    var from = begin - reach
    var length: Int64 = 2 * Self.hour
    var sampleCount = 0
    while from < now, sampleCount < Self.samplesLimit {
      let end = min(now, from + length)
      let done = Double(from - begin + reach) / Double(now - begin + reach)
      progress("replaying \(days == 1 ? "a day" : "\(days) days") of the rules: \(Int(clamping: done * 100)) %")
      var series: [Series] = []
      do throws(AskedServer.Failure) {
        for reading in readings where end > begin - reading.reachMilliseconds {
          let seconds = (end - from + 999) / 1000
          series += try await prometheus.series("\(reading.selector)[\(seconds)s]", atMilliseconds: end)
        }
      } catch {
        guard error.isOfSize, length > Self.hour / 12 else { throw error }
        length /= 2
        continue
      }
      let count = series.reduce(0) { $0 + $1.samples.count }
      sampleCount += count
      try replay.run(series, throughMilliseconds: end)
      from = end
      if count < 100_000 { length = min(6 * Self.hour, length * 2) } else if count > 1_000_000 { length /= 2 }
    }
    return SwitchReport.Replay(
      rules: replay.finish(), times: replay.comparedMilliseconds,
      assumptions: assumptions(check, replay, days: days, start: start, isCut: from < now))
  }

  private func assumptions(
    _ check: SwitchCheck, _ replay: SwitchReplay, days: Int, start: Int64, isCut: Bool
  ) -> [String] {
    var list: [String] = []
    guard let times = replay.comparedMilliseconds else {
      return ["Prometheus has no samples of redis_exporter in that time: no rule was compared"]
    }
    if times.lowerBound - start > Self.hour {
      list.append("Prometheus has no older samples of redis_exporter than \(SwitchReport.moment(times.lowerBound))")
    }
    if isCut {
      list.append(
        "there are too many samples: the replay ended at \(SwitchReport.moment(times.upperBound)); give fewer --days")
    }
    let (all, paired) = (check.oldTargetCount, check.pairedTargetCount)
    if let both = replay.bothSinceMilliseconds {
      let servers = paired == all ? (all == 1 ? "the one server" : "all \(all) servers") : "\(paired) of \(all) servers"
      list.append(
        "Prometheus scrapes both exporters of \(servers) since \(SwitchReport.moment(both)); from there on Redline's own series were evaluated. What only one side said for at most \(replay.longestToleranceMilliseconds / 1000) s counts as the same, since both are not scraped at the same moment"
      )
    }
    if paired < all || (replay.bothSinceMilliseconds ?? .max) > times.lowerBound {
      list.append(
        "where Prometheus has redis_exporter's series only, Redline's are these with the differences that the pages show today: series that are not there are absent, labels are changed, values are the same"
      )
    }
    if let step = replay.shortestStepMilliseconds,
      check.groups.contains(where: { $0.intervalMilliseconds ?? 60_000 < step })
    {
      list.append(
        "rules were evaluated every \(step / 1000) s, where their interval is shorter, so that the replay does not take too long"
      )
    }
    return list
  }
}
