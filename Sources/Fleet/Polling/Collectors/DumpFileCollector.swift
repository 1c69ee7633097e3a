import Metrics
import Redis

/// The size of the snapshot file, where exporter and server share a disk.
struct DumpFileCollector: Collector {
  let name = "rdb_file"
  var families: [Family] { [Self.size] }
  var readsInfoOnly: Bool { true }

  private static let size = Family.gauge(
    "rdb_current_size_bytes",
    "Size of the snapshot file on disk, in bytes; 0 if there is none (CONFIG dir and dbfilename).", unit: .bytes,
    traits: [.flag("`--include-rdb-file-size-metric`")])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let path = file(poll), let size = poll.fileSizesBytes[path] else { return }
    sink.add(Self.size, Double(size))
  }

  func file(_ poll: PollContext) -> String? {
    poll.options.includesRDBFileSize ? Self.path(in: poll.config) : nil
  }

  /// Where the server writes its snapshots, as it says.
  private static func path(in config: ServerConfig?) -> String? {
    guard let folder = config?["dir"], let file = config?["dbfilename"],
      // The server is not trusted to name a file elsewhere.
      !file.isEmpty, !file.contains(UInt8(ascii: "/")), !file.contains(0), !folder.contains(0),
      !file.elementsEqual("..".utf8), !file.elementsEqual(".".utf8)
    else { return nil }
    return String(decoding: folder, as: UTF8.self) + "/" + String(decoding: file, as: UTF8.self)
  }
}
