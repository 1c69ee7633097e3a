import Config
import Metrics
import Redis
import Runtime

/// What is said to the server and by it can be read on the way.
struct TLSOff: AuditCheck {
  let audit = AuditCheckID.tlsOff

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    let reading = server.reading
    guard !reading.way.usesTLS else { return }
    // A unix socket has no way that others see.
    guard let address = reading.way.address else { return }
    if let (home, other) = regions(server) {
      return verdict.find(
        .critical, node: server.name, key: "region",
        "is asked without TLS in \(home), and other servers of it are in \(other): data crosses regions in the clear")
    }
    verdict.find(
      address.scope == .loopback ? .info : .warning, node: server.name,
      address.scope == .loopback
        ? "is asked without TLS, over loopback: nobody reads that on the way"
        : "is asked without TLS: passwords and data can be read on the way. Where a mesh encrypts, accept it")
  }
}

extension TLSOff {
  /// The region of the server and another one that its workload is in, where servers tell each other things in the clear; nil
  /// where they do not, or where it is not known.
  private func regions(_ server: AuditedServer) -> (home: String, other: String)? {
    let regions = server.state.config.regions
    func region(_ address: NodeAddress) -> String? { regions.region(host: address.host, port: address.port) }
    guard !server.state.config.topology.isIndependent, server.reading.setting("tls-replication") != "yes",
      let home = region(server.address)
    else { return nil }
    return server.state.members.lazy.compactMap { region($0.address) }.first { $0 != home }.map { (home, $0) }
  }
}

/// Servers talk to each other in the clear though they could do otherwise.
struct TLSInner: AuditCheck {
  let audit = AuditCheckID.tlsInner

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let settings = server.settings(&verdict), let port = settings["tls-port"], port != "0" else { return }
    var open: [String] = []
    if settings["tls-replication"] == "no" { open.append("tls-replication") }
    if server.facts.server.isClusterEnabled, settings["tls-cluster"] == "no" { open.append("tls-cluster") }
    guard !open.isEmpty else { return }
    verdict.find(
      .warning, node: server.name, key: open.joined(separator: " "),
      "has \(open.joined(separator: " and ")) no beside a TLS port: what servers tell each other can be read on the way"
    )
  }
}

/// TLS is there, and weaker than it could be.
struct TLSWeak: AuditCheck {
  let audit = AuditCheckID.tlsWeak

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let settings = server.settings(&verdict), let port = settings["tls-port"], port != "0" else { return }
    if let plain = settings["port"], plain != "0" {
      verdict.find(
        .warning, node: server.name, key: "port", "still listens without TLS, on port \(plain): set port 0")
    }
    let old = (settings["tls-protocols"] ?? "").split(separator: " ").map { $0.lowercased() }
      .filter { ["tlsv1", "tlsv1.0", "tlsv1.1", "sslv3"].contains($0) }
    if !old.isEmpty {
      verdict.find(
        .warning, node: server.name, key: "protocols",
        "still takes versions of TLS that are broken (\(old.joined(separator: " "))): set tls-protocols \"TLSv1.2 TLSv1.3\""
      )
    }
    if settings["tls-auth-clients"] == "no" {
      verdict.find(
        .info, node: server.name, key: "clients", "asks clients for no certificate (tls-auth-clients no)")
    }
  }
}

/// The certificate that the server shows ends soon.
struct CertificateExpiry: AuditCheck {
  let audit = AuditCheckID.certExpiry
  private static let warningDays = 30.0
  private static let criticalDays = 7.0
  private static let end = Family.gauge(
    "instance_certificate_end_timestamp_seconds",
    "When the TLS certificate ends that the server showed at the last look, Unix time.", labels: ["instance"],
    unit: .seconds)
  var families: [Family] { [Self.end] }

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let end = server.reading.way.certificateEnd else { return }
    verdict.add(Self.end, end.seconds, .text(server.name))
    let left = (end - server.state.wall) / 86_400
    guard left < Self.warningDays else { return }
    let when = "\(Timestamp(end))".prefix(10)
    verdict.find(
      left < Self.criticalDays ? .critical : .warning, node: server.name,
      left < 0
        ? "shows a certificate that ended on \(when): clients that look refuse it"
        : "shows a certificate that ends on \(when), in \(Int(left)) days: renew it")
  }
}
