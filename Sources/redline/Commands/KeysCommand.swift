import ArgumentParser
import Config
import Fleet
import NIOCore
import Redis
import Runtime
import UnixSignals

/// What the keys of a server are, by prefix, from a sample of them.
struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Say which prefixes hold the keys and the memory of a server, and what expires at once.",
    usage: "redline keys ADDRESS [OPTIONS] [FLAGS]",
    discussion: """
      Needs no daemon and no configuration. Random windows of SCAN, and MEMORY USAGE and PTTL of each key in them, take about \
      a minute and at most --duty-ratio of the server's time; of a master a replica is read where there is one, and of a cluster \
      every shard. Where there are few keys all are looked at. What is estimated stands with the bounds between which the truth \
      is 95 times in 100. Ctrl-C ends it with what was seen so far.

      A prefix is made of the first parts of names. Numbers, identities, hashes, and every part that fewer than 20 of the keys \
      that were looked at share are a star: no name of a single key, person or client is shown.

      Logins are given as to the daemon: by the flags --redis.user, --redis.password-from-file and those of TLS, and by the \
      environment, as REDIS_PASSWORD.

      Exits with 0 when there is a table, with 2 when an address or a flag cannot be used, with 3 when the keys cannot be read, \
      and with 64 for wrong arguments.

      Example: redline keys redis://10.0.0.1:6379 --redis.password-from-file /etc/redline/redis.password
      """)

  @Option(help: ArgumentHelp("The share of each server's time that it may take.", valueName: "ratio"))
  var dutyRatio = 0.01

  @Option(help: ArgumentHelp("How many keys are looked at, 1000 to 100000.", valueName: "count"))
  var sample = 20_000

  @Option(help: ArgumentHelp("When it makes do with what was seen so far.", valueName: "duration"))
  var limit: CommandDuration = .init(seconds: 120)

  @Option(help: ArgumentHelp("What stands between the parts of names, each character by itself.", valueName: "text"))
  var separators = ":"

  @Option(help: ArgumentHelp("Parts of names that are told apart, 1 to 4.", valueName: "count"))
  var depth = 2

  @Option(help: ArgumentHelp("Prefixes that are told apart, 1 to 64, by memory.", valueName: "count"))
  var max = 64

  @Option(help: "How the table is printed: text, markdown or json.")
  var format: ReportOptions.Format = .text

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("The address, and flags of the daemon that say how to log in.", valueName: "address"))
  var words: [String] = []

  func validate() throws {
    guard dutyRatio >= 0.0001, dutyRatio <= 1 else { throw ValidationError("--duty-ratio: use 0.0001 to 1") }
    guard KeySampleOptions.keyCounts.contains(sample) else { throw ValidationError("--sample: use 1000 to 100000") }
    guard 1...3600 ~= limit.seconds else { throw ValidationError("--limit: use 1 s to 60 min") }
    guard 1...4 ~= depth else { throw ValidationError("--depth: use 1 to 4") }
    guard 1...64 ~= max else { throw ValidationError("--max: use 1 to 64") }
    guard !separators.isEmpty, separators.utf8.allSatisfy({ 0x21...0x7e ~= $0 }), !separators.contains("*") else {
      throw ValidationError("--separators: use one or more characters such as : / or .")
    }
    guard let first = words.first, !first.hasPrefix("-") else {
      throw ValidationError("the address is missing: name it first, as in redline keys redis://localhost:6379")
    }
  }

  func run() async throws {
    let look: KeyspaceLook
    do {
      look = try self.look()
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    let report: KeyspaceReport
    do throws(RedisError) {
      report = try await interruptible { isEnded throws(RedisError) in
        try await look.run(isEnded: isEnded) { progress in
          Progress.show("looked at \(progress.seenCount) of about \(progress.wantedCount) keys; Ctrl-C ends it")
        }
      }
    } catch {
      Progress.show("")
      Redline.printError("redline: \(KnownSecrets.masked("\(error.advised(.flags))"))")
      throw ExitCode(ReportOptions.unknownStatus)
    }
    Progress.show("")
    let text = KeysText(report)
    switch format {
    case .text: Redline.printNow(text.plain)
    case .markdown: Redline.printNow(text.markdown)
    case .json: Redline.printNow(text.json)
    }
    if report.estimate.seenCount == 0, report.estimate.keyTotal > 0 { throw ExitCode(ReportOptions.unknownStatus) }
  }

  private func look() throws -> KeyspaceLook {
    let subject = try AccessSubject(words, environment: processEnvironment())
    guard subject.fleet == nil, let text = subject.options.redis.address else {
      throw ConfigErrors(
        ConfigError(.commandLine, problem: "names no server", hint: "give an address, as in redis://localhost:6379"))
    }
    let address: RedisAddress
    do throws(RedisAddressError) {
      address = try RedisAddress(text)
    } catch {
      throw ConfigErrors(ConfigError(.commandLine, problem: "has no address: \(error)"))
    }
    var look = KeyspaceLook(subject.factory.connection(address, isTrusted: true), in: subject.factory.context)
    look.timeout = TimeAmount(subject.options.redis.deadline)
    look.dutyRatio = dutyRatio
    look.options.keyCount = sample
    look.options.separators = separators
    look.options.depth = depth
    look.options.estimate.maxPrefixes = max
    return look
  }

  /// Runs until it ends by itself, is interrupted, or the time is over.
  private func interruptible(
    _ body: (@escaping @Sendable () -> Bool) async throws(RedisError) -> KeyspaceReport
  ) async throws(RedisError) -> KeyspaceReport {
    let deadline = NIODeadline.now() + .nanoseconds(Int64(clamping: limit.seconds * 1e9))
    let isInterrupted = Lock(false)
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let waiting = Task {
      for await _ in signals { isInterrupted.withLock { $0 = true } }
    }
    defer { waiting.cancel() }
    return try await body { isInterrupted.withLock { $0 } || NIODeadline.now() >= deadline }
  }
}
