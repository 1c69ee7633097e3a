import Config
import Logging
import Runtime

/// The reloadable part of the web side, live: the settings in force, and the credentials and logins made from them.
public final class WebConfiguration: Sendable {
  /// Where the settings come from.
  public enum Source: Sendable {
    case settings(WebSettings)
    /// An exporter-toolkit web config file.
    case file(String)

    func load() throws(WebError) -> WebSettings {
      switch self {
      case .settings(let settings): return settings
      case .file(let path):
        do throws(ConfigErrors) {
          return try WebConfigFile.load(path)
        } catch {
          throw WebError(error.description)
        }
      }
    }
  }

  /// How often, at most, new connections look whether the certificate files have changed.
  static let checkInterval = Duration.seconds(1)

  struct Live: Sendable {
    let settings: WebSettings
    let authenticator: Authenticator
    let tls: TLSContext?
    /// One for each of the settings' TLS files, taken before they were read.
    let stamps: [FileStamp?]
  }
  private struct State {
    var live: Live
    var checked = ContinuousClock.now
  }

  private let source: Source
  private let log: Logger
  private let state: Lock<State>

  /// Reads the settings and everything that they name.
  ///
  /// - Throws: ``WebError``, to be shown as it is.
  public init(_ source: Source, log: Logger) throws(WebError) {
    self.source = source
    self.log = log
    state = Lock(State(live: try Self.live(source.load())))
  }

  /// Reads everything again and puts it in force, whole.
  ///
  /// Connections that are open keep what they began with; logins are checked afresh.
  /// - Throws: ``WebError``; the old configuration stays in force. Switching TLS on or off needs a restart.
  public func reload() throws(WebError) {
    let fresh = try Self.live(source.load())
    try state.withLock { state throws(WebError) in
      guard (state.live.tls == nil) == (fresh.tls == nil) else {
        throw WebError("TLS cannot be switched on or off by a reload; restart to do that")
      }
      state.live = fresh
    }
  }

  var isTLS: Bool { state.withLock { $0.live.tls != nil } }
  var authenticator: Authenticator { state.withLock { $0.live.authenticator } }
  var headers: [Request.Header] { state.withLock { $0.live.settings.headers } }

  /// The credentials for a new connection, read again when a file has changed.
  func tlsContext() -> TLSContext {
    let now = ContinuousClock.now
    let (live, isDue) = state.withLock { state in
      let isDue = now - state.checked >= Self.checkInterval
      if isDue { state.checked = now }
      return (state.live, isDue)
    }
    guard let context = live.tls, let settings = live.settings.tls else {
      preconditionFailure("a TLS connection without TLS settings")
    }
    guard isDue else { return context }
    let stamps = settings.files.map(FileStamp.init)
    guard stamps != live.stamps else { return context }

    // Files that do not fit together, half way through an exchange, are tried again when they change again.
    var fresh = context
    do throws(WebError) {
      fresh = try TLSContext(settings)
      log.info("TLS certificate reloaded", metadata: ["file": "\(settings.certificateFile)"])
    } catch {
      log.error("TLS certificate not reloaded, the old one stays", metadata: ["reason": "\(error)"])
    }
    state.withLock { state in
      guard state.live.tls === context else { return }
      state.live = Live(settings: live.settings, authenticator: live.authenticator, tls: fresh, stamps: stamps)
    }
    return fresh
  }

  private static func live(_ settings: WebSettings) throws(WebError) -> Live {
    let stamps = settings.tls?.files.map(FileStamp.init) ?? []
    let tls = try settings.tls.map { settings throws(WebError) in try TLSContext(settings) }
    return Live(settings: settings, authenticator: Authenticator(settings.users), tls: tls, stamps: stamps)
  }
}
