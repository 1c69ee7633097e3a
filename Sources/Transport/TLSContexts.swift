import NIOCore
import NIOSSL
import Runtime

/// How the daemon speaks TLS to a server. Files are PEM.
public struct TLSClientSettings: Sendable, Hashable {
  /// Replaces the system's roots when given.
  public var caFile: String?
  public var certificateFile: String?
  public var keyFile: String?
  /// The name that the server's certificate must carry; by default the host of the address.
  public var serverName: String?
  public var skipsVerification = false

  public init() {}

  var files: [String] { [caFile, certificateFile, keyFile].compactMap { $0 } }
}

/// Which file of a ``TLSClientSettings`` cannot be used, and why.
public struct TLSFileError: Error, Sendable {
  public let message: String
}

/// One `NIOSSLContext` for each configuration, made anew when one of its files changes.
public final class TLSContexts: Sendable {
  private struct Entry {
    let context: NIOSSLContext
    let stamps: [FileStamp?]
  }
  private let entries = Lock([TLSClientSettings: Entry]())
  private let applicationProtocols: [String]

  /// - Parameter applicationProtocols: those that are offered to the server, such as `http/1.1`.
  public init(applicationProtocols: [String] = []) { self.applicationProtocols = applicationProtocols }

  public func context(for settings: TLSClientSettings) throws(TLSFileError) -> NIOSSLContext {
    let stamps = settings.files.map { FileStamp($0) }
    if let entry = entries.withLock({ $0[settings] }), entry.stamps == stamps { return entry.context }
    let context = try make(settings)
    entries.withLock { $0[settings] = Entry(context: context, stamps: stamps) }
    return context
  }

  private func make(_ settings: TLSClientSettings) throws(TLSFileError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = settings.skipsVerification ? .none : .fullVerification
    configuration.applicationProtocols = applicationProtocols
    if let file = settings.caFile {
      configuration.trustRoots = .certificates(
        try read(file, "CA certificates") { try NIOSSLCertificate.fromPEMFile(file) })
    }
    if let file = settings.certificateFile {
      configuration.certificateChain = try read(file, "client certificate") {
        try NIOSSLCertificate.fromPEMFile(file)
      }.map { .certificate($0) }
    }
    if let file = settings.keyFile {
      configuration.privateKey = .privateKey(
        try read(file, "client key") { try NIOSSLPrivateKey(file: file, format: .pem) })
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw TLSFileError(message: "the TLS configuration cannot be used: \(error)")
    }
  }

  private func read<Value>(_ file: String, _ what: String, _ body: () throws -> Value) throws(TLSFileError) -> Value {
    do { return try body() } catch {
      throw TLSFileError(message: "the \(what) in \(file) cannot be read; it must be a readable PEM file")
    }
  }
}
