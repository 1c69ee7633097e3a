import Redis

/// Who named a server's address. What to change where it cannot be asked is said in those words: a flag, or a key of
/// redline.yml.
public enum AddressOrigin: Sendable, Equatable {
  /// `--redis.addr`.
  case flags
  /// The parameter `target` of `/scrape`.
  case request
  /// `seeds` of a workload, or a member that they led to.
  case workload(isSeed: Bool)
  /// `sentinel.seeds`, or a Sentinel that they led to.
  case sentinel(isSeed: Bool)

  private enum Setting {
    case address, user, password, authority, serverName, certificate
  }

  private func name(of setting: Setting) -> String {
    let section = self == .sentinel(isSeed: true) || self == .sentinel(isSeed: false) ? "sentinel." : ""
    switch self {
    case .flags, .request:
      return switch setting {
      case .address: self == .flags ? "--redis.addr" : "target"
      case .user: "--redis.user"
      case .password: self == .flags ? "--redis.password or --redis.password-from-file" : "--redis.password-file"
      case .authority: "--tls-ca-cert-file"
      case .serverName: self == .flags ? "--tls-server-name" : "tls-server-name"
      case .certificate: "--tls-client-cert-file and --tls-client-key-file"
      }
    case .workload, .sentinel:
      return switch setting {
      case .address: "\(section)seeds"
      case .user: "\(section)credentials.user"
      case .password: "\(section)credentials"
      case .authority: "\(section)tls.ca_file"
      case .serverName: "\(section)tls.server_name"
      case .certificate: "\(section)tls.cert_file and \(section)tls.key_file"
      }
    }
  }

  /// Whether the address itself stands in the configuration.
  private var isOwn: Bool {
    switch self {
    case .flags, .request, .workload(isSeed: true), .sentinel(isSeed: true): true
    case .workload(isSeed: false), .sentinel(isSeed: false): false
    }
  }

  /// What to change, as the rest of a sentence; nil where nothing in the configuration is to blame.
  ///
  /// - Parameter hasAnswered: whether the server has answered before: then its address is right.
  func advice(_ cause: RedisError.Cause, hasAnswered: Bool) -> String? {
    let address = name(of: .address)
    switch cause {
    case .unknownName: return isOwn && !hasAnswered ? "check the host in \(address)" : nil
    case .wrongAddress: return isOwn && !hasAnswered ? "check host and port in \(address)" : nil
    case .plainServer: return withoutTLS
    case .silentHandshake: return hasAnswered ? nil : "if it does not speak TLS on this port, \(withoutTLS)"
    case .tlsServer: return withTLS
    case .closedAtOnce: return hasAnswered ? nil : "if it speaks TLS on this port, \(withTLS)"
    case .unknownAuthority: return "name its authority by \(name(of: .authority))"
    case .otherName where isOwn: return "give a name that its certificate carries by \(name(of: .serverName))"
    case .otherName:
      return
        "map its address to a name that its certificate carries by address_rewrites, or give one that all carry by "
        + name(of: .serverName)
    case .clientCertificate: return "give one that it accepts by \(name(of: .certificate))"
    case .wrongPassword: return "check \(name(of: .user)) and the password of \(name(of: .password))"
    case .missingPassword: return "give its password by \(name(of: .password))"
    case .unwantedPassword: return "leave out \(name(of: .password))"
    case .unwantedUser: return "leave out \(name(of: .user))"
    }
  }

  private var withTLS: String {
    switch self {
    case .flags, .request: "write rediss:// in \(name(of: .address))"
    case .workload: "give tls, and {} is enough"
    case .sentinel: "give sentinel.tls, and {} is enough"
    }
  }

  private var withoutTLS: String {
    switch self {
    case .flags, .request: "write redis:// in \(name(of: .address))"
    case .workload: "leave out tls, and rediss:// in seeds"
    case .sentinel: "leave out sentinel.tls, and rediss:// in sentinel.seeds"
    }
  }
}

extension RedisError {
  /// The same with what to change in the configuration.
  public func advised(_ origin: AddressOrigin, hasAnswered: Bool = false) -> RedisError {
    guard let advice = cause.flatMap({ origin.advice($0, hasAnswered: hasAnswered) }) else { return self }
    return RedisError(errorClass, "\(message); \(advice)", cause: cause)
  }
}
