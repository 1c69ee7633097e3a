import NIOCore
import NIOSSL
import Runtime

/// How the daemon speaks TLS to a server.
public struct TLSSettings: Sendable, Hashable {
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

/// One `NIOSSLContext` for each configuration, made anew when one of its files changes.
public final class TLSContexts: Sendable {
  private struct Entry {
    let context: NIOSSLContext
    let stamps: [FileStamp?]
  }
  private let entries = Lock([TLSSettings: Entry]())

  public init() {}

  /// - Throws: ``RedisError`` of class `tls` that names the file which cannot be used.
  public func context(for settings: TLSSettings) throws(RedisError) -> NIOSSLContext {
    let stamps = settings.files.map { FileStamp($0) }
    if let entry = entries.withLock({ $0[settings] }), entry.stamps == stamps { return entry.context }
    let context = try make(settings)
    entries.withLock { $0[settings] = Entry(context: context, stamps: stamps) }
    return context
  }

  private func make(_ settings: TLSSettings) throws(RedisError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification =
      settings.skipsVerification ? .none : .fullVerification
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
      throw RedisError(.tls, "the TLS configuration cannot be used: \(error)")
    }
  }

  private func read<Value>(
    _ file: String, _ what: String, _ body: () throws -> Value
  ) throws(RedisError) -> Value {
    do { return try body() } catch {
      throw RedisError(.tls, "the \(what) in \(file) cannot be read; it must be a readable PEM file")
    }
  }
}
