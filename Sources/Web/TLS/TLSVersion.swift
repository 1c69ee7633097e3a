/// A version of TLS, as both configuration sources write it: redis_exporter's flag `TLS1.2`, the web config file `TLS12`.
public enum TLSVersion: String, Sendable, CaseIterable, Comparable {
  case tls10 = "TLS10"
  case tls11 = "TLS11"
  case tls12 = "TLS12"
  case tls13 = "TLS13"

  /// Reads the flag's spelling.
  public init?(flag: String) {
    self.init(rawValue: String(flag.filter { $0 != "." }))
  }

  public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }

  /// The name in a priority string of GnuTLS.
  var priority: String {
    switch self {
    case .tls10: "VERS-TLS1.0"
    case .tls11: "VERS-TLS1.1"
    case .tls12: "VERS-TLS1.2"
    case .tls13: "VERS-TLS1.3"
    }
  }
}
