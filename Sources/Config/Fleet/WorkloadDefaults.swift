/// What the file gives to every workload that does not say otherwise.
struct WorkloadDefaults {
  var pollInterval: Duration = .seconds(5)
  var timeout: Duration = .seconds(2)
  var maxSeries: Int?
  var environment: String?
  var team: String?
  var labels: [String: String] = [:]
  var tls: TLSConfig?
  var maintenance = Schedule([])
  var addressRewrites: [AddressRewrite] = []
  var regions = Regions()
  var verified = VerifiedObjectives()
  var audit = AuditConfig()
  static let maxSeriesMeaning =
    "Maximum number of series of the workload on `/metrics`; beyond it the families with the most series are left out. Without it, any number."
  /// Of the configuration, where relative paths begin; empty for the working directory.
  let folder: String

  init(folder: String) { self.folder = folder }

  /// - Parameter folder: of the configuration.
  init(_ fields: MappingReader, folder: String) {
    self.folder = folder
    pollInterval = fields.value(
      "poll_interval", .pollInterval, default: pollInterval, "Time between two polls of a server.")
    timeout = fields.value("timeout", .duration(), default: timeout, "Deadline of one whole poll.")
    maxSeries = fields.optional("max_series", .int(100...100_000_000), Self.maxSeriesMeaning)
    environment = fields.optional("environment", .labelValue, "The label `environment`.")
    team = fields.optional("team", .labelValue, "Label of `redis_workload_info`.")
    labels = LabelRules.read(fields, inherited: [:])
    tls = fields.mapping("tls", "TLS to servers; a workload's own block takes its place.") { TLSConfig($0) }
    verified =
      fields.mapping("objectives", "Objectives of every workload.") {
        VerifiedObjectives(in: $0, base: VerifiedObjectives())
      } ?? VerifiedObjectives()
    audit =
      fields.mapping("audit", "How the security of servers is looked over; lists of a workload go on top or in place.")
    {
      AuditConfig($0, folder: folder)
    } ?? AuditConfig()
  }
}

extension ScalarType<Duration> {
  static var pollInterval: ScalarType { .duration(.extended, .atLeast(.milliseconds(100))) }
}
