/// A row of the amounts that error budgets are reckoned from: an hour of minutes, or a day of hours, of one workload.
public struct StoredBudget: Sendable, Equatable {
  public struct Key: Sendable, Hashable {
    /// At most `StoreLimits.nameBytes`; a longer one is not kept.
    public let workload: String
    /// What one amount of the row spans: 60 or 3,600 seconds.
    public let stepSeconds: Int64
    /// When the row begins, in seconds since 1970 by the wall clock.
    public let startSeconds: Int64

    public init(workload: String, stepSeconds: Int64, startSeconds: Int64) {
      self.workload = workload
      self.stepSeconds = stepSeconds
      self.startSeconds = startSeconds
    }
  }

  public let key: Key
  /// The amounts, in the caller's own form; at most `StoreLimits.budgetBytes`.
  public let amounts: [UInt8]

  public init(_ key: Key, amounts: [UInt8]) {
    self.key = key
    self.amounts = amounts
  }

  var isWithinLimits: Bool {
    key.workload.utf8.count <= StoreLimits.nameBytes && amounts.count <= StoreLimits.budgetBytes
  }
}

/// The rows of error budgets of a store, the newest of each key.
///
/// They are written with the points of history, in a transaction about every second: `Store.flush()` does not wait for
/// them. What the end of the process cuts off is the second before.
public struct BudgetRowStore: Sendable {
  let store: Store

  /// Keeps rows, each in place of the one with its key.
  public func put(_ rows: [StoredBudget]) { store.put(rows) }

  /// Another number once another file is written, which lacks all rows from before: then put them all.
  public var fileNumber: Int { store.fileNumber }

  /// Every row of a workload, also those that are not in the file yet; nil while the file cannot be read.
  public func load(workload: String) async -> [StoredBudget]? { await store.budgets(ofWorkload: workload) }
}

/// The rows that are not in the file yet. A pure value.
struct BudgetBuffer: Sendable {
  private var rows: [StoredBudget.Key: (sequence: UInt64, amounts: [UInt8])] = [:]
  private var sequence: UInt64 = 0
  private(set) var refusedRows = 0

  struct Batch: Sendable {
    let rows: [StoredBudget]
    fileprivate let sequence: UInt64
  }

  var isEmpty: Bool { rows.isEmpty }

  mutating func put(_ added: [StoredBudget]) {
    sequence += 1
    for row in added {
      guard row.isWithinLimits, rows[row.key] != nil || rows.count < StoreLimits.budgetRows else {
        refusedRows += 1
        continue
      }
      rows[row.key] = (sequence, row.amounts)
    }
  }

  func rows(ofWorkload workload: String) -> [StoredBudget] {
    rows.filter { $0.key.workload == workload }.map { StoredBudget($0.key, amounts: $0.value.amounts) }
  }

  func batch() -> Batch {
    Batch(rows: rows.map { StoredBudget($0.key, amounts: $0.value.amounts) }, sequence: sequence)
  }

  /// The batch is in the file; rows that were put again since stay to be written.
  mutating func settle(_ batch: Batch) {
    for row in batch.rows where rows[row.key].map({ $0.sequence <= batch.sequence }) ?? false { rows[row.key] = nil }
  }
}
