import NIOCore
import Runtime

extension Connection {
  /// Asks the server for its data as for a new replica (SYNC), which forks it, and writes the RDB file. The connection is
  /// closed then.
  ///
  /// The file is written on the connection's event loop, so that the server sends no faster than the disk takes it; for
  /// commands, whose loop has nothing else to do.
  /// - Parameters:
  ///   - path: of a new file.
  ///   - silence: how long the server may send nothing. While it saves, it sends a line feed each second.
  /// - Throws: ``RedisError``.
  public func saveSnapshot(to path: String, silence: TimeAmount, deadline: NIODeadline) async throws(RedisError) {
    let promise = eventLoop.makePromise(of: Void.self)
    let loop = eventLoop
    onLoop { handler in
      let transfer: Transfer
      do throws(FileProblem) {
        transfer = Transfer(handler, try GrowingFile(path), loop: loop, promise, silence: silence)
      } catch {
        return promise.fail(RedisError(.limit, "\(path) cannot be written: \(error.reason)"))
      }
      transfer.start(deadline: deadline)
    }
    defer { close() }
    do {
      try await promise.futureResult.get()
    } catch {
      throw error as? RedisError ?? RedisError(.closed, "\(error)")
    }
  }
}

/// The side of a transfer that lives on the event loop.
private final class Transfer {
  private let handler: ConnectionHandler
  private let file: GrowingFile
  private let loop: any EventLoop
  private let promise: EventLoopPromise<Void>
  private let silence: TimeAmount
  private var reader = SnapshotReader()
  private var isOver = false
  private var heard = NIODeadline.now()
  private var timer: Scheduled<Void>?

  init(
    _ handler: ConnectionHandler, _ file: GrowingFile, loop: any EventLoop, _ promise: EventLoopPromise<Void>,
    silence: TimeAmount
  ) {
    (self.handler, self.file, self.loop, self.promise, self.silence) = (handler, file, loop, promise, silence)
  }

  func start(deadline: NIODeadline) {
    handler.receiveRaw { bytes in
      self.take(bytes)
    } ended: { reason in
      self.end(reason)
    }
    handler.write(["SYNC"])
    wait(deadline)
  }

  private func wait(_ deadline: NIODeadline) {
    let due = min(heard + silence, deadline)
    timer = loop.assumeIsolated().scheduleTask(deadline: due) {
      guard !self.isOver else { return }
      let now = NIODeadline.now()
      if now >= deadline || now - self.heard >= self.silence {
        self.handler.end(RedisError(.timeout, "the snapshot did not come in time"))
      } else {
        self.wait(deadline)
      }
    }
  }

  private func take(_ bytes: [UInt8]) {
    guard !isOver else { return }
    heard = .now()
    do throws(SnapshotReader.Failure) {
      let part = try reader.take(bytes[...])
      do throws(FileProblem) { try file.append(Array(part)) } catch {
        return handler.end(RedisError(.limit, "the snapshot cannot be written: \(error.reason)"))
      }
      if reader.isComplete { end(nil) }
    } catch {
      switch error {
      case .refused(let words): handler.end(RedisError(.denied, "the server sends no snapshot: \(words)"))
      case .malformed: handler.end(RedisError(.protocol, "what answers to SYNC is no snapshot"))
      }
    }
  }

  private func end(_ reason: RedisError?) {
    guard !isOver else { return }
    isOver = true
    timer?.cancel()
    if let reason { promise.fail(reason) } else { promise.succeed() }
  }
}
