import Metrics
import Redis
import Runtime

@testable import Fleet

/// Replies that a real server gave, one file each, and what the collectors make of them.
struct CapturedServer {
  /// The folder, such as `servers/redis-7.4.1`.
  let folder: String
  /// The file that answers INFO.
  var info = "info-all"
  /// Files by the words of the command, all or the first two; what is not listed is not answered.
  var files: [String: String] = [
    "CONFIG GET": "config-get", "LATENCY LATEST": "latency-latest",
    "LATENCY HISTOGRAM": "latency-histogram", "SLOWLOG LEN": "slowlog-len",
    "SLOWLOG GET": "slowlog-get", "CLIENT LIST": "client-list",
    "COMMANDLOG LEN slow": "commandlog-len-slow", "COMMANDLOG LEN large-request": "commandlog-len-large-request",
    "COMMANDLOG LEN large-reply": "commandlog-len-large-reply",
  ]

  func reply(_ file: String) -> Reply? {
    guard let bytes = Fixture.bytes("\(folder)/\(file).resp") else { return nil }
    return try? Replies.read(bytes)[0]
  }

  var infoText: InfoText { InfoText(reply(info)?.bytes ?? []) }

  /// Runs every collector of the catalogue whose commands are all answered, as the poller would.
  func samples(_ options: CollectorOptions, now: WallTime = Fixture.now) throws -> Samples {
    let info = infoText
    let facts = ServerFacts(info)
    let config = options.configCommand == nil ? nil : reply("config-get")
    var sink = SampleSink()
    for collector in CollectorCatalogue.all {
      let commands = collector.commands(for: facts, options)
      let replies = commands.compactMap { (files[$0.text] ?? files[$0.description]).flatMap(reply) }
      guard replies.count == commands.count, collector.readsInfoOnly || !commands.isEmpty else { continue }
      if !collector.acceptsErrors, replies.contains(where: \.isError) { continue }
      try collector.collect(
        PollContext(collector, info, replies, config: config, options: options, now: now), into: &sink)
    }
    return sink.finish()
  }

  func page(_ options: CollectorOptions) throws -> String {
    String(decoding: Exposition().page([try samples(options)]), as: UTF8.self)
  }
}

extension Command {
  /// All words of the command.
  fileprivate var text: String { arguments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
}

extension CollectorOptions {
  /// Every family that an option can add.
  static var wholePage: CollectorOptions { .everything }
}
