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

    /// The file that it is about; empty for none.
    var name: String {
      switch self {
      case .settings(let settings): settings.tls?.certificateFile ?? ""
      case .file(let path): path
      }
    }

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

  /// How often the certificate files are looked at for changes.
  static let checkInterval = Duration.milliseconds(500)

  struct Live: Sendable {
    let settings: WebSettings
    let authenticator: Authenticator
    let tls: TLSContext?
    /// One for each of the settings' TLS files, taken before they were read.
    let stamps: [FileStamp?]
  }
  private let source: Source
  private let log: Logger
  private let state: Lock<Live>

  /// As the initializer, without waiting for a file that hangs.
  public static func read(_ source: Source, log: Logger) async throws(WebError) -> WebConfiguration {
    try await FileWork.shared.value(of: source.name) { () throws(WebError) in
      try WebConfiguration(source, log: log)
    }
  }

  /// Reads the settings and everything that they name.
  ///
  /// - Throws: ``WebError``, to be shown as it is.
  public init(_ source: Source, log: Logger) throws(WebError) {
    self.source = source
    self.log = log
    state = Lock(try Self.live(source.load()))
  }

  /// Reads everything again and puts it in force, whole.
  ///
  /// Connections that are open keep what they began with; logins are checked afresh.
  /// - Throws: ``WebError``; the old configuration stays in force. Switching TLS on or off needs a restart.
  public func reload() async throws(WebError) {
    let fresh = try await FileWork.shared.value(of: source.name, isTold: false) {
      [source] () throws(WebError) in try Self.live(source.load())
    }
    try state.withLock { live throws(WebError) in
      guard (live.tls == nil) == (fresh.tls == nil) else {
        throw WebError("TLS cannot be switched on or off by a reload; restart to do that")
      }
      live = fresh
    }
  }

  var isTLS: Bool { state.withLock { $0.tls != nil } }
  var authenticator: Authenticator { state.withLock { $0.authenticator } }
  var headers: [Request.Header] { state.withLock { $0.settings.headers } }

  /// The credentials for a new connection.
  func tlsContext() -> TLSContext {
    guard let context = state.withLock({ $0.tls }) else {
      preconditionFailure("a TLS connection without TLS settings")
    }
    return context
  }

  /// Takes over certificate files that have changed, until the task is cancelled.
  ///
  /// Files that do not fit together, half way through an exchange, are tried again when they change again.
  func follow() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.checkInterval)
      await check()
    }
  }

  private func check() async {
    let live = state.withLock { $0 }
    guard let settings = live.settings.tls else { return }
    do throws(WebError) {
      let fresh = try await FileWork.shared.value(
        of: settings.certificateFile
      ) {
        () throws(WebError) -> Live? in
        let stamps = settings.files.map(FileStamp.init)
        if stamps == live.stamps { return nil }
        return Live(
          settings: live.settings, authenticator: live.authenticator, tls: try TLSContext(settings), stamps: stamps)
      }
      guard let fresh else { return }
      state.withLock { if $0.tls === live.tls { $0 = fresh } }
      log.info("TLS certificate reloaded", metadata: ["file": "\(settings.certificateFile)"])
    } catch {
      // Its listeners log it, once.
      return
    }
  }

  private static func live(_ settings: WebSettings) throws(WebError) -> Live {
    let stamps = settings.tls?.files.map(FileStamp.init) ?? []
    let tls = try settings.tls.map { settings throws(WebError) in try TLSContext(settings) }
    return Live(settings: settings, authenticator: Authenticator(settings.users), tls: tls, stamps: stamps)
  }
}
