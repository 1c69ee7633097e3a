@testable import Config

/// A made-up document with a field of every type, which the YAML fixtures are read as.
struct FleetSample: Equatable {
  enum Kind: String, CaseIterable { case cache, session, queue, custom }

  struct Workload: Equatable {
    var name: String
    var kind: Kind
    var addresses: [String]
    var isCritical: Bool
    var databases: Int
    var share: Double
    var password: SecretSource?
    var labels: [String: String]
  }

  var interval: Duration
  var workloads: [Workload]
  var certificate: String?

  static func read(_ text: [UInt8], file: String) throws(ConfigErrors) -> FleetSample {
    try YAMLNode.parse(text, file: file).decode(file: file) { fields in
      FleetSample(
        interval: fields.value("interval", .duration(), default: .seconds(5)),
        workloads: fields.mappings("workloads") { fields in
          Workload(
            name: fields.required("name", .nonEmptyString),
            kind: fields.value("kind", .oneOf(Kind.self, noun: "a workload kind"), default: .custom),
            addresses: fields.list("addresses", of: .nonEmptyString),
            isCritical: fields.value("critical", .bool, default: false),
            databases: fields.value("databases", .int(1...16), default: 16),
            share: fields.value("share", .double, default: 1),
            password: fields.secret("password"),
            labels: fields.dictionary("labels", of: .string))
        },
        certificate: fields.mapping("tls") { $0.required("cert_file", .nonEmptyString) })
    }
  }
}
