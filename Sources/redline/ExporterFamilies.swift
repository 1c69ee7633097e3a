import Alerting
import Config
import Fleet
import Metrics
import Runtime
import Storage

/// The families of the exporter itself that belong to no poll.
enum ExporterFamilies {
  static let targetScrapeErrors = Family.counter(
    "target_scrape_request_errors_total", "Requests to /scrape that were refused because of what they asked for.")

  static let droppedLogLines = Family.counter(
    "exporter_log_dropped_lines_total",
    "Log lines that were lost because standard error was not read or could not be written.")

  static let all = [BuildInfo.family, droppedLogLines] + FileFamilies.all + ProcessFamilies.all

  /// The live sources of a page.
  ///
  /// - Parameter withProcess: whether the process's figures belong on the page; never on those of `/scrape`.
  static func sources(
    _ options: ExportOptions, _ scrapeErrors: Metrics.Counter, withProcess: Bool
  ) -> [@Sendable () -> Samples] {
    let own: @Sendable () -> Samples = {
      var sink = SampleSink()
      scrapeErrors.collect(into: &sink)
      if options.areSelfMetricsIncluded { BuildInfo.collect(into: &sink) }
      if withProcess, options.areSelfMetricsIncluded {
        sink.add(droppedLogLines, Double(LogQueue.standardError.droppedTotal))
        FileFamilies.collect(into: &sink)
      }
      return sink.finish()
    }
    return withProcess && options.areSelfMetricsIncluded ? [own, ProcessFamilies.samples] : [own]
  }
}

/// How the files stand that the configuration names.
enum FileFamilies {
  static let lastGood = Family.gauge(
    "exporter_file_last_good_timestamp_seconds",
    "Time when a file named in the options was last read successfully, in seconds since the epoch; its content of that time is in force.",
    labels: ["file"], unit: .seconds)
  static let failures = Family.counter(
    "exporter_file_failures_total",
    "Failures to read or use a file named in the options; its previous content stays in force.",
    labels: ["file"])

  static let all = [lastGood, failures]

  static func collect(into sink: inout SampleSink) {
    for (file, record) in FileWork.shared.records {
      if let time = record.lastGood { sink.add(lastGood, time.seconds, LabelValue(file)) }
      sink.add(failures, Double(record.failureCount), LabelValue(file))
    }
  }
}

/// Which part of the workloads of `config.file` this daemon watches.
enum ShardFamilies {
  static let info = Family.gauge(
    "exporter_shard_info",
    "Which shard of the workloads of config.file this daemon watches, and of how many, in labels; the value is always 1.",
    labels: ["shard", "shards"])
  static let count = Family.gauge(
    "exporter_shards", "Number of shards that the workloads of config.file are shared by, as --shard says.")

  static let up = Family.gauge(
    "exporter_shard_up",
    "Whether another shard answered when it was asked last, at an address of shards.urls: 1 yes, 0 no.",
    labels: ["shard", "shards"])

  static let all = [info, count, up]

  /// None without `--shard`.
  static func sources(_ shard: Shard?) -> [@Sendable () -> Samples] {
    guard let shard else { return [] }
    return [
      {
        var sink = SampleSink()
        sink.add(info, 1, [.text("\(shard.index)"), .text("\(shard.count)")])
        sink.add(count, Double(shard.count))
        return sink.finish()
      }
    ]
  }
}

/// How the file of `storage.path` is doing.
enum StorageFamilies {
  static let durable = Family.gauge(
    "exporter_storage_durable", "Whether alerts, events and counters reach the file of storage.path: 1 yes, 0 no.")
  static let droppedEvents = Family.counter(
    "exporter_storage_dropped_events_total",
    "Events that were lost because the file could not be written for a long time.")
  static let droppedNotifications = Family.counter(
    "exporter_storage_dropped_notifications_total",
    "Records of notifications that were lost because the file could not be written for a long time.")
  static let droppedPoints = Family.counter(
    "exporter_storage_dropped_points_total",
    "Points of the series history that were lost because the file could not be written for a long time, or because there are too many series."
  )

  static let droppedResults = Family.counter(
    "exporter_storage_dropped_job_results_total",
    "Results of jobs that were lost because the file could not be written for a long time.")

  static let all = [durable, droppedEvents, droppedNotifications, droppedPoints, droppedResults]

  static func collect(_ health: StoreHealth, into sink: inout SampleSink) {
    sink.add(durable, health.isDurable ? 1 : 0)
    sink.add(droppedEvents, Double(health.droppedEvents))
    sink.add(droppedNotifications, Double(health.droppedNotifications))
    sink.add(droppedPoints, Double(health.droppedPoints))
    sink.add(droppedResults, Double(health.droppedJobResults))
  }
}

extension BuildInfo {
  /// The families and labels of redis_exporter; `golang_version` is what this program is built with.
  static let family = Family.gauge(
    "exporter_build_info", "Version of this exporter, in labels; the value is always 1.",
    labels: ["version", "commit_sha", "build_date", "golang_version"])

  static func collect(into sink: inout SampleSink) {
    sink.add(family, 1, [.text(version), .text(commit), .text(date), .text(swiftVersion)])
  }
}

/// Every family that the program can export.
enum FamilyCatalogue {
  static var groups: [FamilyGroup] {
    FamilyGroup.ofFleet + [
      FamilyGroup("Rules", "With `rules` or `history` in the file of `--config.file`.", families: RuleFamilies.all),
      FamilyGroup(
        "Delivery of alerts", "With `alerting` in the file of `--config.file`.", families: DeliveryFamilies.all),
      FamilyGroup("Evidence", "With `rules` in the file of `--config.file`.", families: EvidenceFamilies.all),
      FamilyGroup("Storage", "With `--storage.path`.", families: StorageFamilies.all),
      FamilyGroup(
        "Shards", "With `--shard`; of other shards with `shards` in the file of `--config.file`.",
        families: ShardFamilies.all),
      FamilyGroup(
        "Series budgets", "On `/metrics`, of each workload that has `max_series`.", families: WorkloadSeries.all),
      FamilyGroup(
        "Flight recorder", "With `recorder` in the file of `--config.file`.", families: RecorderFamilies.all),
      FamilyGroup(
        "The daemon", "On `/metrics`, without `--redis-only-metrics`; the build also on pages of `/scrape`.",
        families: ExporterFamilies.all),
      FamilyGroup("Requests to `/scrape`", "On `/metrics`.", families: [ExporterFamilies.targetScrapeErrors]),
    ]
  }

  /// Each once: some parts share a family.
  static var all: [Family] {
    var seen: Set<ObjectIdentifier> = []
    return groups.flatMap(\.families).filter { seen.insert(ObjectIdentifier($0)).inserted }
  }
}
