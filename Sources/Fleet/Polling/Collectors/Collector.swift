import Config
import Metrics
import Redis

/// A source of metrics on a server: which commands it sends, and what it reads from their replies.
///
/// A collector is a pure function. Sending, deadlines, refusals, timing and `success` are the runner's business
/// (``Poller``), so that they are right once. The first poll of a server is INFO alone; what it says decides what the
/// others send.
public protocol Collector: Sendable {
  /// A short, stable name in lower case: the value of the `collector` label.
  var name: String { get }
  /// Every family that the collector may add samples to, except those that servers name.
  var families: [Family] { get }

  /// The commands for this server, or none where the collector has nothing to ask it.
  ///
  /// A collector that needs nothing beyond INFO returns an empty array from here and true from ``readsInfoOnly``.
  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command]
  /// Whether ``collect(_:into:)`` is to be called although no command was sent.
  var readsInfoOnly: Bool { get }

  /// Adds what the replies say.
  ///
  /// It is called only when every command was answered and none with an error, unless ``acceptsErrors``.
  /// - Throws: ``CollectorError`` when a reply does not have the shape that the command promises.
  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError)
  /// Whether an error reply is itself an answer (SENTINEL CKQUORUM answers NOQUORUM so).
  var acceptsErrors: Bool { get }

  /// A file of the server's whose size ``collect(_:into:)`` wants in ``PollContext/fileSizesBytes``; nil for none.
  func file(_ poll: PollContext) -> String?
  /// What nobody sees where the server refuses the commands; nil for the families.
  var lost: String? { get }
  /// What the flight recorder may keep of the reply to a command of the collector's own.
  func recording(of command: Command) -> ReplyRecording
  /// Whether the recorder looks at the replies once a minute: they are long, or hardly change.
  var isRecordedSeldom: Bool { get }
}

extension Collector {
  public var readsInfoOnly: Bool { false }
  public var acceptsErrors: Bool { false }
  public func file(_ poll: PollContext) -> String? { nil }
  public var lost: String? { nil }
  public func recording(of command: Command) -> ReplyRecording { .nothing }
  public var isRecordedSeldom: Bool { false }
}

public struct CollectorError: Error, CustomStringConvertible {
  /// What was wrong, for the log; never with a value from the server that could be a secret.
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// What the collectors are asked to do: the flags that gate families.
public struct CollectorOptions: Sendable {
  /// The name of the CONFIG command, or nil when it must not be used.
  public var configCommand: String? = "CONFIG"
  /// Every CONFIG key as a series.
  public var includesConfig = false
  /// Leave out CONFIG keys that hold secrets.
  public var redactsConfig = true
  public var includesSystemMetrics = false
  public var includesModules = false
  /// The server is Tile38.
  public var isTile38 = false
  public var includesSentinelPeers = false
  public var includesEmptyDatabases = true
  public var includesRDBFileSize = false
  /// Finds the size of the file at a path in bytes: 0 where there is none, nil while it is not known; nil when files must
  /// not be looked at.
  public var findFileSize: (@Sendable (String) async -> Int?)?
  public var clients = ClientSeries()
  /// How many client names have a series of their own among the aggregates.
  public var clientNamesLimit = 10
  /// The commands with a `command_latency_seconds` histogram of their own; others are merged.
  public var latencyCommands = LatencyCommands.common
  /// Neither LATENCY LATEST nor LATENCY HISTOGRAM is sent.
  public var excludesLatency = false

  public init() {}
}
