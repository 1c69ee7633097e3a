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
public struct TLSFileError: FileFailure {
  public let message: String
}

extension TLSFileError {
  public init(file: String, reason: String) { message = "\(file) cannot be read: \(reason)" }
}

/// One `NIOSSLContext` for each configuration, rebuilt when one of its files changes.
public final class TLSContexts: Sendable {
  private struct Entry {
    let context: NIOSSLContext
    let stamps: [FileStamp?]
  }
  private let entries = Lock([TLSClientSettings: Entry]())
  private let applicationProtocols: [String]
  /// The certificates of every authority of the world take a quarter of it.
  private static let fileLimitBytes = 1 << 20

  /// - Parameter applicationProtocols: those that are offered to the server, such as `http/1.1`.
  public init(applicationProtocols: [String] = []) { self.applicationProtocols = applicationProtocols }

  /// The context with the files as they are now; while they cannot be used, as they were last.
  public func context(for settings: TLSClientSettings) async throws(TLSFileError) -> NIOSSLContext {
    let known = entries.withLock { $0[settings] }
    guard let file = settings.files.first else {
      if let known { return known.context }
      let context = try make(settings)
      entries.withLock { $0[settings] = Entry(context: context, stamps: []) }
      return context
    }
    do throws(TLSFileError) {
      let entry = try await FileWork.shared.value(
        of: file
      ) { () throws(TLSFileError) -> Entry in
        let stamps = settings.files.map { FileStamp($0) }
        if let known, known.stamps == stamps { return known }
        return Entry(context: try self.make(settings), stamps: stamps)
      }
      entries.withLock { $0[settings] = entry }
      return entry.context
    } catch {
      guard let known else { throw error }
      return known.context
    }
  }

  private func make(_ settings: TLSClientSettings) throws(TLSFileError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = settings.skipsVerification ? .none : .fullVerification
    configuration.applicationProtocols = applicationProtocols
    if let file = settings.caFile {
      configuration.trustRoots = .certificates(
        try read(file, "CA certificates") { try NIOSSLCertificate.fromPEMBytes($0) })
    }
    if let file = settings.certificateFile {
      configuration.certificateChain = try read(file, "client certificate") {
        try NIOSSLCertificate.fromPEMBytes($0)
      }.map { .certificate($0) }
    }
    if let file = settings.keyFile {
      configuration.privateKey = .privateKey(
        try read(file, "client key") { try NIOSSLPrivateKey(bytes: $0, format: .pem) })
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw TLSFileError(message: "the TLS configuration cannot be used: \(error)")
    }
  }

  private func read<Value>(
    _ file: String, _ what: String, _ body: ([UInt8]) throws -> Value
  ) throws(TLSFileError) -> Value {
    let bytes: [UInt8]
    do throws(FileProblem) { bytes = try RegularFile.bytes(file, limitBytes: Self.fileLimitBytes) } catch {
      throw TLSFileError(message: "the \(what) in \(file) cannot be read: \(error.reason)")
    }
    do { return try body(bytes) } catch {
      throw TLSFileError(message: "the \(what) in \(file) cannot be read; it must be a readable PEM file")
    }
  }
}

extension ChannelHandlerContext {
  /// Whether the peer's certificate carries `name`, once the handshake is done.
  ///
  /// NIOSSL also takes a certificate for the address that was connected to; a name that was asked for must be there.
  public func peerIsCertified(as name: String) -> Bool {
    let certificate = try? pipeline.syncOperations.handler(type: NIOSSLHandler.self).peerCertificate
    let names = certificate?._subjectAlternativeNames().compactMap { alternative -> String? in
      alternative.nameType == .dnsName ? String(decoding: alternative.contents, as: UTF8.self) : nil
    }
    return names?.contains { certifies($0, name) } == true
  }
}

extension ChannelHandlerContext {
  /// When the certificate that the peer showed ends, once the handshake is done; nil where it showed none.
  public var peerCertificateEnd: WallTime? {
    let certificate = try? pipeline.syncOperations.handler(type: NIOSSLHandler.self).peerCertificate
    return certificate.map { WallTime(seconds: Double($0.notValidAfter)) }
  }
}

/// Whether a name of a certificate, which may begin with `*.`, stands for `name`.
func certifies(_ pattern: String, _ name: String) -> Bool {
  let (pattern, name) = (pattern.lowercased(), name.lowercased())
  if pattern == name { return true }
  guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
  return dot != name.startIndex && name[dot...] == pattern.dropFirst()
}
