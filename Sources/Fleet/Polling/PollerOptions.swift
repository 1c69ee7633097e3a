import Metrics
import NIOCore
import Redis

/// How a target is polled.
public struct PollerOptions: Sendable {
  public var connection: ConnectionOptions
  public var collectors = CollectorOptions()
  /// The bound on a whole poll: name, connect, TLS, login and replies.
  public var timeout: TimeAmount = .seconds(2)
  /// Who named the address.
  public var origin = AddressOrigin.flags
  /// Why this server gets no credentials, with what to do, although there may be some for others; nil for one that gets them.
  public var withheldCredentials: String?
  /// `instance_role` on every series that comes from the server.
  public var appendsRole = false
  /// Labels on every series of the target; none by default.
  public var labels: [Label] = []
  /// Is handed every poll; nil where nothing is recorded.
  var recording: PollRecording?

  public struct Label: Sendable, Equatable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(connection: ConnectionOptions) { self.connection = connection }
}

extension PollerOptions {
  var constantLabels: [(name: String, value: LabelValue)] { labels.map { ($0.name, .text($0.value)) } }
}

/// What a target's polls left behind, for the next to repeat.
struct PolledSamples {
  /// Of the last poll that the server answered, without its role.
  private var answered = Samples.none
  private var role = FurtherLabel(exceptTo: PollFamilies.withoutRole)

  /// For a poll that begins.
  var sink: SampleSink { SampleSink(after: answered) }

  /// The samples of a poll, with the server's role where `--append-instance-role-label` asks for it: as INFO last named it.
  mutating func finish(_ sink: SampleSink, _ state: TargetState, of facts: ServerFacts?, _ options: PollerOptions)
    -> Samples
  {
    let samples = sink.finish(constantLabels: options.constantLabels)
    if state.isUp { answered = samples }
    guard options.appendsRole, let named = facts?.role else { return samples }
    return role.add("instance_role", .text(named), to: samples)
  }
}

/// Takes polls for the flight recorder; it must not wait.
struct PollRecording: Sendable {
  let note: @Sendable (RecordedPoll) -> Void
  /// The server is polled no more.
  let end: @Sendable () -> Void
}
