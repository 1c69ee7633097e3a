import Config
import Web

extension Config.WebOptions {
  /// Where TLS and users of the web side come from.
  var source: WebConfiguration.Source {
    if let configFile { return .file(configFile) }
    var flags = WebFlags()
    if let tls {
      flags.tlsServerCertificateFile = tls.certificateFile
      flags.tlsServerKeyFile = tls.keyFile
      flags.tlsServerCAFile = tls.clientAuthoritiesFile ?? ""
      flags.tlsServerMinimumVersion = tls.minVersion.rawValue
    }
    if let basicAuth {
      flags.basicAuthUsername = basicAuth.user
      switch basicAuth.password {
      case .plain(let secret): flags.basicAuthPassword = secret
      case .bcryptHash(let secret): flags.basicAuthHashPassword = secret
      }
    }
    return .flags(flags)
  }
}
