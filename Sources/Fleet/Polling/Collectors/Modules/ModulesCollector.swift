import Metrics
import Redis

/// INFO MODULES: which modules are loaded, and the numbers of those in ``ModuleFields``.
struct ModulesCollector: Collector {
  let name = "modules"
  var families: [Family] { ModuleFields.table.families + [Self.info] }

  private static let labels = ["name", "ver", "api", "filters", "usedby", "using"]
  private static let info = Family.gauge(
    "module_info", "A module that is loaded; the value is always 1 (INFO MODULES module).", labels: labels,
    traits: [.flag("`--include-modules-metrics`")])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    options.includesModules && server.mode != .sentinel && server.version >= Version(4)
      ? [["INFO", "MODULES"]] : []
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let bytes = poll.replies.first?.bytes else { throw CollectorError("INFO MODULES is not a text") }
    let text = InfoText(bytes)
    ModuleFields.table.collect(text, poll.options, source: ModuleFields.source, into: &sink)
    for field in text.fields where text.name(of: field).elementsEqual("module".utf8) {
      var parts: [String: ArraySlice<UInt8>] = [:]
      for (key, value) in modulePairs(text.value(of: field)) {
        parts[String(decoding: key, as: UTF8.self)] = value
      }
      guard parts["name"] != nil else { continue }
      sink.add(Self.info, 1, Self.labels.map { LabelValue(parts[$0] ?? []) })
    }
  }
}

/// The pairs of `name=search,ver=20612,usedby=[a,b],using=[c]`: a comma within brackets separates nothing.
func modulePairs(_ text: ArraySlice<UInt8>) -> [InfoPairs.Pair] {
  var depth = 0
  return text.split { byte in
    switch byte {
    case UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "]"): depth = max(0, depth - 1)
    case UInt8(ascii: ","): return depth == 0
    default: break
    }
    return false
  }.compactMap { part in
    guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    return (part[..<equals], part[(equals + 1)...])
  }
}
