import Config

extension TLSVersion {
  /// The name in a priority string of GnuTLS.
  var priority: String { "VERS-" + rawValue }

  /// The name in a web config file, `TLS12` for TLS 1.2.
  var fileName: String { rawValue.filter { $0 != "." } }
}
