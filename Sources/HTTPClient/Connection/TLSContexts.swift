import NIOCore
import NIOSSL
import Runtime

/// How the client speaks TLS. Files are PEM.
public struct HTTPTLSSettings: Sendable, Hashable {
  /// Replaces the system's roots when given.
  public var caFile: String?
  public var certificateFile: String?
  public var keyFile: String?
  /// The name that the server's certificate must carry; by default the host of the origin.
  public var serverName: String?
  public var skipsVerification = false

  public init() {}

  var files: [String] { [caFile, certificateFile, keyFile].compactMap { $0 } }
}

/// One `NIOSSLContext` for each configuration, made anew when one of its files changes.
final class TLSContexts: Sendable {
  private struct Entry {
    let context: NIOSSLContext
    let stamps: [FileStamp?]
  }
  private let entries = Lock([HTTPTLSSettings: Entry]())

  /// - Throws: an error of class `tls` that names the file which cannot be used.
  func context(for settings: HTTPTLSSettings) throws(HTTPClientError) -> NIOSSLContext {
    let stamps = settings.files.map { FileStamp($0) }
    if let entry = entries.withLock({ $0[settings] }), entry.stamps == stamps { return entry.context }
    let context = try Self.make(settings)
    entries.withLock { $0[settings] = Entry(context: context, stamps: stamps) }
    return context
  }

  private static func make(_ settings: HTTPTLSSettings) throws(HTTPClientError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = settings.skipsVerification ? .none : .fullVerification
    configuration.applicationProtocols = ["http/1.1"]
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
      throw HTTPClientError(.tls, "the TLS configuration cannot be used: \(error)")
    }
  }

  private static func read<Value>(
    _ file: String, _ what: String, _ body: () throws -> Value
  ) throws(HTTPClientError) -> Value {
    do { return try body() } catch {
      throw HTTPClientError(.tls, "the \(what) in \(file) cannot be read; it must be a readable PEM file")
    }
  }
}

/// Whether a name of a certificate, which may begin with `*.`, stands for `name`.
func certifies(_ pattern: String, _ name: String) -> Bool {
  let (pattern, name) = (pattern.lowercased(), name.lowercased())
  if pattern == name { return true }
  guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
  return dot != name.startIndex && name[dot...] == pattern.dropFirst()
}
