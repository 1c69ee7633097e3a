import Metrics
import Redis

/// The TLS certificates that a Valkey server uses. When they expire is in the field table.
struct CertificatesCollector: Collector {
  let name = "certificates"
  var families: [Family] { [Self.info] }
  var readsInfoOnly: Bool { true }

  private static let info = Family.gauge(
    "tls_certificate_info",
    "A TLS certificate that the server uses, by its serial number; the value is always 1 (INFO tls_server_cert_serial and others).",
    labels: ["certificate", "serial"])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ input: CollectorInput, into sink: inout SampleSink) throws(CollectorError) {
    for certificate in ["server", "client", "ca"] {
      guard let serial = input.info["tls_\(certificate)_cert_serial"], !serial.isEmpty,
        !serial.elementsEqual("none".utf8)
      else { continue }
      sink.add(Self.info, 1, [LabelValue(certificate), LabelValue(serial)])
    }
  }
}
