import Config
import Metrics

/// The families of the exporter itself that belong to no poll.
enum ExporterFamilies {
  static let targetScrapeErrors = Family.counter(
    "target_scrape_request_errors_total", "Requests to /scrape that were refused because of what they asked for.")

  static let droppedLogLines = Family.counter(
    "exporter_log_dropped_lines_total",
    "Log lines that were lost because standard error was not read or could not be written.")

  static let entries: [FamilyGroup.Entry] =
    [
      FamilyGroup.Entry(targetScrapeErrors), FamilyGroup.Entry(BuildInfo.family, flag: exceptRedisOnly),
      FamilyGroup.Entry(droppedLogLines, flag: exceptRedisOnly),
    ]
    + FileFamilies.all.map { FamilyGroup.Entry($0, flag: exceptRedisOnly) }
    + StorageFamilies.all.map { FamilyGroup.Entry($0, flag: "`--config.file`") }
    + ProcessFamilies.all.map { FamilyGroup.Entry($0, flag: exceptRedisOnly) }

  private static let exceptRedisOnly = "not with `--redis-only-metrics`"

  /// The live sources of a page.
  ///
  /// - Parameter withProcess: whether the process's figures belong on the page; never on those of `/scrape`.
  static func sources(
    _ options: ExportOptions, _ scrapeErrors: Counter, withProcess: Bool
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
