import NIOCore
import NIOPosix

/// Ends exchanges whose replies do not come in time, with one timer for all connections of an event loop.
///
/// Nearly every exchange ends long before its deadline: to arm and to cancel a timer for each costs more than to look, once
/// the earliest deadline has passed, which of them are still there. A deadline is kept up to ``step`` late, and never early.
/// Lives on its event loop.
final class ExchangeTimeouts {
  private struct Entry {
    let handler: ConnectionHandler
    let number: Int
  }

  /// In nanoseconds.
  static let step: UInt64 = 10_000_000
  private static let ofThread = ThreadSpecificVariable<NIOLoopBoundBox<ExchangeTimeouts>>()

  private let loop: any EventLoop
  /// By deadline, in steps.
  private var entries: [UInt64: [Entry]] = [:]
  private var timer: Scheduled<Void>?
  private var due = UInt64.max

  /// Those of the loop on whose thread this is called.
  static func of(_ loop: any EventLoop) -> ExchangeTimeouts {
    if let known = ofThread.currentValue { return known.value }
    let made = ExchangeTimeouts(loop)
    ofThread.currentValue = NIOLoopBoundBox(made, eventLoop: loop)
    return made
  }

  private init(_ loop: any EventLoop) { self.loop = loop }

  func add(_ handler: ConnectionHandler, exchange number: Int, deadline: NIODeadline) {
    let step = deadline.uptimeNanoseconds / Self.step + 1
    entries[step, default: []].append(Entry(handler: handler, number: number))
    if step < due { arm(step) }
  }

  private func arm(_ step: UInt64) {
    timer?.cancel()
    due = step
    let (time, isFar) = step.multipliedReportingOverflow(by: Self.step)
    let deadline = isFar ? NIODeadline.distantFuture : NIODeadline.uptimeNanoseconds(time)
    timer = loop.assumeIsolated().scheduleTask(deadline: deadline) { self.look() }
  }

  private func look() {
    (timer, due) = (nil, .max)
    let now = NIODeadline.now().uptimeNanoseconds / Self.step
    // Who is told may send again, which adds entries.
    let passed = entries.keys.filter { $0 <= now }.sorted()
    for step in passed {
      for entry in entries.removeValue(forKey: step) ?? [] { entry.handler.timeOut(exchange: entry.number) }
    }
    for step in entries.keys.sorted() {
      entries[step]?.removeAll { !$0.handler.isUnderWay(exchange: $0.number) }
      guard entries[step]?.isEmpty == true else { return step < due ? arm(step) : () }
      entries[step] = nil
    }
  }
}
