import Metrics
import Storage

/// Removes what is past keeping from the file of `storage.path`: old events, notifications, evidence and points of history,
/// and the oldest of too many.
struct Retention: Job {
  let name = "retention"
  let schedule = JobSchedule.every(seconds: 900)
  let families = [removedRows]

  private static let removedRows = Family.gauge(
    "exporter_storage_removed_rows",
    "Rows that the newest run of the retention removed from the file of storage.path, because they were too old or too many.",
    labels: ["table"])

  func run(_ context: JobContext) async throws -> [JobReport] {
    guard let store = context.store else { return [JobReport(lines: ["nothing is kept without storage.path"])] }
    return [JobReport(numbers: try await store.removeOld().mapValues(Double.init))]
  }

  func add(_ reports: [JobReport], into sink: inout SampleSink) {
    for (table, count) in reports.first?.numbers.sorted(by: { $0.key < $1.key }) ?? [] {
      sink.add(Self.removedRows, count, .text(table))
    }
  }
}
