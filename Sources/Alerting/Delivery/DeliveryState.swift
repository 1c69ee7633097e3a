import Config
import Runtime

/// Whether alerts reach one Alertmanager.
public struct DeliveryState: Sendable, Equatable {
  /// Why they do not.
  public struct Trouble: Sendable, Equatable {
    /// When the first failed request since the last good one began; of a refusal, when the newest was.
    public var since: WallTime
    /// A short stable class, such as `connect`.
    public var errorClass: String
    /// In words for people, without secrets.
    public var message: String
    /// It answers, and does not take the alerts.
    public var isRefusal: Bool

    /// `connect: no connection to …`
    public var problem: String { "\(errorClass): \(message)" }
  }

  /// Its address, or the name that stands for it while that does not resolve; without credentials.
  public let alertmanager: String
  /// Nil where its newest request was a good one, and where there was none yet.
  public let trouble: Trouble?
  /// When it last accepted alerts.
  public let lastSuccess: WallTime?
  /// How many alerts wait for it.
  public let waitingCount: Int

  /// `alerts are not delivered to http://localhost:9093 since 2026-11-28T03:44:50Z`; nil where they are.
  public var complaint: String? {
    trouble.map { trouble in
      let time = Timestamp(epochMs: trouble.since.epochMs / 1000 * 1000).description.replacing(".000Z", with: "Z")
      return trouble.isRefusal
        ? "\(alertmanager) refused alerts, most recently at \(time)"
        : "alerts are not delivered to \(alertmanager) since \(time)"
    }
  }
}
