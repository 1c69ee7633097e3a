import NIOCore
import NIOSSL
import Runtime

/// One `NIOSSLContext` for each configuration, made anew when one of its files changes.
public final class TLSContexts: Sendable {
  private struct Entry {
    let context: NIOSSLContext
    let stamps: [FileStamp?]
  }
  private let entries = Lock([TLSSettings: Entry]())

  private let protocols: [String]

  /// - Parameter protocols: what is offered by ALPN; none for nothing.
  public init(protocols: [String] = []) { self.protocols = protocols }

  public func context(for settings: TLSSettings) throws(TLSProblem) -> NIOSSLContext {
    let stamps = settings.files.map { FileStamp($0) }
    if let entry = entries.withLock({ $0[settings] }), entry.stamps == stamps { return entry.context }
    let context = try make(settings)
    entries.withLock { $0[settings] = Entry(context: context, stamps: stamps) }
    return context
  }

  private func make(_ settings: TLSSettings) throws(TLSProblem) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = settings.skipsVerification ? .none : .fullVerification
    configuration.applicationProtocols = protocols
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
      throw TLSProblem(description: "the TLS configuration cannot be used: \(error)")
    }
  }

  private func read<Value>(
    _ file: String, _ what: String, _ body: () throws -> Value
  ) throws(TLSProblem) -> Value {
    do { return try body() } catch {
      throw TLSProblem(description: "the \(what) in \(file) cannot be read; it must be a readable PEM file")
    }
  }
}
