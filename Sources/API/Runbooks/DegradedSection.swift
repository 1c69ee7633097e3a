import Config

/// What applications do while Redis cannot be used, as a section of a runbook: what the owners of the workload have declared, and
/// what its kind of workload needs.
enum DegradedSection: String, CaseIterable {
  /// Nothing answers.
  case lost = "{degraded_lost}"
  /// Reads are answered, writes are not.
  case writes = "{degraded_writes}"

  /// - Parameter workload: nil where it is not known: every kind is listed then.
  func text(for workload: WorkloadConfig?) -> String {
    guard let workload else {
      return WorkloadKind.allCases.map { "- \(Self.noun($0)): \(advice($0))" }.joined(separator: "\n")
        + "\n\nWhat a workload has chosen stands in redline.yml, under `degraded`."
    }
    let declared =
      if let degraded = workload.degraded {
        "**Declared for \(workload.name):** \(degraded.sentence)"
      } else {
        "What \(workload.name) does is not declared: write `degraded: {on_redis_loss: …}` into redline.yml. Until then, ask its owners."
      }
    return "\(declared)\n\n\(Self.noun(workload.kind).capitalizedFirst): \(advice(workload.kind))"
  }

  private static func noun(_ kind: WorkloadKind) -> String {
    switch kind {
    case .cache: "cache"
    case .session: "sessions"
    case .queue: "queues"
    case .custom: "rate limits, locks and the like"
    }
  }

  private func advice(_ kind: WorkloadKind) -> String {
    switch (self, kind) {
    case (.lost, .cache):
      "read from the database. Protect it: one loader for each key, stale values, fewer of the least important pages."
    case (.lost, .session):
      "users log in again, or the application uses its local session store. Expect a rush of logins; tell support."
    case (.lost, .queue):
      "producers keep what they cannot send, in memory or on disk, or hold back; consumers wait, and must stand duplicates afterwards."
    case (.lost, .custom):
      "rate limits are open or closed, as chosen. What needs a lock or an idempotency key waits, unless it may happen twice."
    case (.writes, .cache): "hits go on; what cannot be written is read from the database again."
    case (.writes, .session):
      "those who are in stay in; logins and changes fail. Show a clear page, or use the local session store."
    case (.writes, .queue):
      "nothing is taken in. Producers hold back or write to disk; never delete a stream to make room."
    case (.writes, .custom):
      "counters stand still: rate limits are open or closed, as chosen. No lock can be taken."
    }
  }
}

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
