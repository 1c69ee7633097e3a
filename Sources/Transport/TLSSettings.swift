/// How a client speaks TLS. Files are PEM.
public struct TLSSettings: Sendable, Hashable {
  /// Replaces the system's roots when given.
  public var caFile: String?
  public var certificateFile: String?
  public var keyFile: String?
  /// The name that the server's certificate must carry; by default the host that is connected to.
  public var serverName: String?
  public var skipsVerification = false

  public init() {}

  var files: [String] { [caFile, certificateFile, keyFile].compactMap { $0 } }
}

/// Why settings cannot be used, in words that name the file.
public struct TLSProblem: Error, Sendable, CustomStringConvertible {
  public let description: String
}
