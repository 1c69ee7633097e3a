import Runtime

/// An acknowledged write of a canary.
struct Ack: Sendable, Equatable {
  let writer: Int32
  let number: Int32
  /// Its place among the masters of the ledger.
  let master: Int32
  let at: Monotonic
}

/// A process that acknowledged writes.
struct LedgerMaster: Sendable, Equatable {
  let runID: String
  let address: NodeName
}

/// A server as reports name it.
typealias NodeName = String

/// Every acknowledged write, in a file that is on disk (fsync) before a write counts.
///
/// Lines are `master I RUN_ID ADDRESS` and `ack W N SECONDS I`, the time since the epoch. What came last when the process was
/// killed may be missing: as much as was acknowledged while the disk was written to, which the report says.
final class AckStore: Sendable {
  private struct State {
    var masters: [LedgerMaster] = []
    var waiting: [UInt8] = []
    var waitingAcks: [Ack] = []
    var acks: [Ack] = []
    var failure: String?
    var longestSeconds = 0.0
  }
  private let state = Lock(State())
  private let file: LedgerFile
  let path: String
  /// What turns a moment into the time of the epoch.
  private let epoch: Double

  /// - Parameters:
  ///   - path: of a file that is not there yet.
  ///   - header: comments, without their `#`.
  /// - Throws: ``FileProblem``.
  init(_ path: String, header: [String]) throws(FileProblem) {
    self.path = path
    epoch = WallTime.now.seconds - Monotonic.now.seconds
    file = LedgerFile(try GrowingFile(path))
    state.withLock { $0.waiting = header.flatMap { Array("# \($0)\n".utf8) } }
  }

  /// The place of a master among those of the ledger.
  func place(of master: LedgerMaster) -> Int32 {
    state.withLock { state in
      if let known = state.masters.firstIndex(of: master) { return Int32(clamping: known) }
      state.masters.append(master)
      let place = state.masters.count - 1
      state.waiting += Array("master \(place) \(master.runID) \(master.address)\n".utf8)
      return Int32(clamping: place)
    }
  }

  func note(_ ack: Ack) {
    let microseconds = Int(clamping: ((epoch + ack.at.seconds) * 1e6).rounded())
    let fraction = String(microseconds % 1_000_000)
    let zeros = String(repeating: "0", count: 6 - fraction.count)
    let line = "ack \(ack.writer) \(ack.number) \(microseconds / 1_000_000).\(zeros)\(fraction) \(ack.master)\n"
    state.withLock { state in
      state.waiting += Array(line.utf8)
      state.waitingAcks.append(ack)
    }
  }

  /// Writes what waits to the disk, again and again, until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      await flush()
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Returns once all that was noted before is on the disk, or cannot be written.
  func flush() async {
    let (bytes, acks) = state.withLock { state in
      defer { (state.waiting, state.waitingAcks) = ([], []) }
      return (state.waiting, state.waitingAcks)
    }
    let began = Monotonic.now
    let failure = await file.write(bytes)
    let seconds = Monotonic.now - began
    state.withLock { state in
      state.longestSeconds = max(state.longestSeconds, seconds)
      if let failure { state.failure = failure } else { state.acks += acks }
    }
  }

  /// Writes that count.
  var acks: [Ack] { state.withLock { $0.acks } }
  var masters: [LedgerMaster] { state.withLock { $0.masters } }
  /// Why the file cannot be written; nil while it can.
  var failure: String? { state.withLock { $0.failure } }
  /// How long the disk took at most, in seconds: acknowledged since then may be missing in the file of a process that was killed.
  var longestSeconds: Double { state.withLock { $0.longestSeconds } }
}

/// The file, one write at a time, off the threads that everything else needs.
private actor LedgerFile {
  private let file: GrowingFile

  init(_ file: sending GrowingFile) { self.file = file }

  /// - Returns: why it failed.
  func write(_ bytes: [UInt8]) async -> String? {
    guard !bytes.isEmpty else { return nil }
    do throws(FileProblem) {
      try file.append(bytes)
      try file.sync()
      return nil
    } catch { return error.reason }
  }
}
