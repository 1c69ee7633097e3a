import Metrics
import Runtime
import Storage

/// The families that say how jobs go. Their label is `task`, since `job` is Prometheus' own.
enum JobFamilies {
  static let lastSuccess = Family.gauge(
    "exporter_job_last_success_timestamp_seconds",
    "Time of the job's last success, in seconds since the epoch, kept across restarts; absent until the first.",
    labels: ["task"], unit: .seconds)
  static let lastRun = Family.gauge(
    "exporter_job_last_run_timestamp_seconds",
    "Time when the job's last run ended, with any outcome, in seconds since the epoch; absent until the first.",
    labels: ["task"], unit: .seconds)
  static let lastDuration = Family.gauge(
    "exporter_job_last_duration_seconds", "Duration of the job's last run, in seconds.", labels: ["task"],
    unit: .seconds)
  static let running = Family.gauge(
    "exporter_job_running", "Whether the job is running now: 1 yes, 0 no.", labels: ["task"])
  static let runs = Family.counter(
    "exporter_job_runs_total", "Runs of the job that ended since the start, by outcome.", labels: ["task", "outcome"])

  static let all = [lastSuccess, lastRun, lastDuration, running, runs]

  static func add(_ tracker: JobTracker, of name: String, into sink: inout SampleSink) {
    let task = LabelValue.text(name)
    if let success = tracker.lastSuccess { sink.add(lastSuccess, success.seconds, task) }
    if let run = tracker.newest, let ended = run.ended {
      sink.add(lastRun, ended.seconds, task)
      // How long a run took that the end of a process cut off is not known.
      if run.outcome != .interrupted { sink.add(lastDuration, ended - run.started, task) }
    }
    sink.add(running, tracker.running == nil ? 0 : 1, task)
    for outcome in JobResult.Outcome.allCases {
      sink.add(runs, Double(tracker.counts[outcome] ?? 0), [task, .text(outcome.rawValue)])
    }
  }
}
