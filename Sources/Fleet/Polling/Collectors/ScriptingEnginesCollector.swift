import Metrics
import Redis

/// The scripting engines of a Valkey server: one `engine_N` line each.
struct ScriptingEnginesCollector: Collector {
  let name = "scripting_engines"
  var families: [Family] { [Self.info, Self.usedMemory, Self.memoryOverhead] }
  var readsInfoOnly: Bool { true }

  private static let labels = ["engine", "module", "abi_version"]
  private static let info = Family.gauge(
    "scripting_engine_info", "A scripting engine that is registered; the value is always 1 (INFO engine_N name).",
    labels: labels)
  private static let usedMemory = Family.gauge(
    "scripting_engine_memory_used_bytes",
    "Memory that the scripting engine uses, in bytes (INFO engine_N used_memory).",
    labels: labels, unit: .bytes)
  private static let memoryOverhead = Family.gauge(
    "scripting_engine_memory_overhead_bytes",
    "Overhead of the scripting engine, in bytes (INFO engine_N memory_overhead).",
    labels: labels, unit: .bytes)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard poll.info["engines_count"] != nil else { return }
    for field in poll.info.fields where isNumbered(poll.info.name(of: field), prefix: "engine_") {
      var labels: [LabelValue] = ["", "", ""]
      var used: Double?
      var overhead: Double?
      for (key, text) in InfoPairs(poll.info.value(of: field)) {
        switch String(decoding: key, as: UTF8.self) {
        case "name": labels[0] = LabelValue(text)
        case "module": labels[1] = LabelValue(text)
        case "abi_version": labels[2] = LabelValue(text)
        case "used_memory": used = parseDouble(text)
        case "memory_overhead": overhead = parseDouble(text)
        default: break
        }
      }
      sink.add(Self.info, 1, labels)
      if let used { sink.add(Self.usedMemory, used, labels) }
      if let overhead { sink.add(Self.memoryOverhead, overhead, labels) }
    }
  }
}
