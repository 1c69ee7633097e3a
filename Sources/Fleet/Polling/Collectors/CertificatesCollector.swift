import Metrics
import Redis

/// The TLS certificates that a Valkey server uses. It sends a 0 for the time to the end of one that it has not.
struct CertificatesCollector: Collector {
  let name = "certificates"
  var families: [Family] { [Self.info] + Self.certificates.map(\.expiry) }
  var readsInfoOnly: Bool { true }

  private static let info = Family.gauge(
    "tls_certificate_info",
    "A TLS certificate that the server uses, by its serial number; the value is always 1 (INFO tls_server_cert_serial and others).",
    labels: ["certificate", "serial"], traits: [.since("Valkey 9.1")])
  private static let certificates: [(kind: String, expiry: Family)] = [
    ("server", expiry("server", "Seconds until the server's TLS certificate expires")),
    ("client", expiry("client", "Seconds until the TLS certificate that the server shows to its peers expires")),
    ("ca", expiry("ca", "Seconds until the certificate of the server's TLS authority expires")),
  ]

  private static func expiry(_ kind: String, _ help: String) -> Family {
    let name = "tls_\(kind)_cert_expires_in_seconds"
    return .gauge(name, "\(help) (INFO \(name)).", unit: .seconds, traits: [.since("Valkey 9.1")])
  }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for (kind, expiry) in Self.certificates {
      guard let serial = poll.info["tls_\(kind)_cert_serial"], !serial.isEmpty, !serial.elementsEqual("none".utf8)
      else { continue }
      sink.add(Self.info, 1, [LabelValue(kind), LabelValue(serial)])
      if let seconds = poll.info.double("tls_\(kind)_cert_expires_in_seconds") {
        sink.add(expiry, seconds)
      }
    }
  }
}
