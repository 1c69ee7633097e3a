import Logging
import Redis
import Runtime

/// Tells each kind of trouble once, until it is over or of another class.
final class ComplaintLog: Sendable {
  private let log: Logger
  private let told = Lock<[String: String]>([:])

  init(_ log: Logger) { self.log = log }

  func tell(_ kind: String, _ message: Logger.Message, _ error: RedisError, at place: KeyPlace) {
    tell(kind, message, reason: "\(error)", class: error.errorClass.rawValue, at: place)
  }

  func tell(_ kind: String, _ message: Logger.Message, reason: String, class: String = "", at place: KeyPlace) {
    guard told.withLock({ $0.updateValue(`class`, forKey: kind) }) != `class` else { return }
    log.warning(message, metadata: Self.metadata(place).merging(["reason": "\(reason)"]) { $1 })
  }

  /// The trouble is over.
  ///
  /// - Parameter message: says so, where there was any.
  func end(_ kind: String, _ message: Logger.Message? = nil, at place: KeyPlace) {
    guard told.withLock({ $0.removeValue(forKey: kind) }) != nil, let message else { return }
    log.info(message, metadata: Self.metadata(place))
  }

  private static func metadata(_ place: KeyPlace) -> Logger.Metadata {
    place.name.isEmpty ? [:] : ["node": "\(place.name)"]
  }
}
