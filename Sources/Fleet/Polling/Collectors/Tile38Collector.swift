// A table, one row a field.
// swift-format-ignore-file

import Metrics
import Redis

/// SERVER EXT of a Tile38 server, where the flag says that it is one.
struct Tile38Collector: Collector {
  let name = "tile38"
  var families: [Family] { Self.table.map(\.family) }

  private static let table = [
    row("tile38_aof_size", as: "tile38_aof_size_bytes", .bytes, help: "Size of the append-only file, in bytes"),
    row("tile38_avg_point_size", as: "tile38_avg_item_size_bytes", .bytes, help: "Average size of a point, in bytes"),
    row("tile38_sys_cpus", as: "tile38_cpus_total", help: "Logical CPUs that the server may use"),
    row("tile38_heap_released_bytes", as: "tile38_heap_released_bytes", .bytes, help: "Memory that was given back to the operating system, in bytes"),
    row("tile38_heap_alloc_bytes", as: "tile38_heap_size_bytes", .bytes, help: "Memory of the objects on the heap, in bytes"),
    row("tile38_http_transport", as: "tile38_http_transport", help: "Whether the server answers over HTTP, 1 or 0"),
    row("tile38_in_memory_size", as: "tile38_in_memory_size_bytes", .bytes, help: "Memory of all objects, in bytes"),
    row("tile38_max_heap_size", as: "tile38_max_heap_size_bytes", .bytes, help: "Limit of memory, in bytes; 0 for none"),
    row("tile38_alloc_bytes", as: "tile38_mem_alloc_bytes", .bytes, help: "Memory of allocated objects, in bytes"),
    row("tile38_num_collections", as: "tile38_num_collections_total", help: "Collections"),
    row("tile38_num_hooks", as: "tile38_num_hooks_total", help: "Hooks"),
    row("tile38_num_objects", as: "tile38_num_objects_total", help: "Objects in all collections"),
    row("tile38_num_points", as: "tile38_num_points_total", help: "Points in all collections"),
    row("tile38_pointer_size", as: "tile38_pointer_size_bytes", .bytes, help: "Size of a pointer, in bytes"),
    row("tile38_read_only", as: "tile38_read_only", help: "Whether the server takes no writes, 1 or 0"),
    row("tile38_go_threads", as: "tile38_threads_total", help: "Threads of the process"),
    row("tile38_go_goroutines", as: "tile38_go_goroutines_total", help: "Goroutines of the process"),
    row("tile38_last_gc_time_seconds", as: "tile38_last_gc_time_seconds", .seconds, help: "When the last collection of garbage ended, in seconds since the epoch"),
    row("tile38_next_gc_bytes", as: "tile38_next_gc_bytes", .bytes, help: "Size of the heap at which garbage is collected next, in bytes"),
  ]

  private static func row(_ field: String, as name: String, _ unit: Unit = .none, help: String) -> InfoField {
    .gauge(field, as: name, unit, since: "Tile38", source: "SERVER EXT", traits: [.flag("`--is-tile38`")], help: help)
  }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    options.isTile38 ? [["SERVER", "EXT"]] : []
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let elements = poll.replies.first?.elements else { throw CollectorError("SERVER EXT is no list") }
    var seen: Set<String> = []
    // Names and values in turn. Tile38 leaves its own name out of what it says of Go.
    var iterator = elements.makeIterator()
    while let name = iterator.next(), let text = iterator.next()?.bytes {
      guard let name = name.text else { continue }
      let field = name.hasPrefix(Self.prefix) ? name : Self.prefix + name
      if let row = Self.rows[field], let value = row.value(of: text), seen.insert(field).inserted {
        sink.add(row.family, value)
      }
    }
  }

  private static let prefix = "tile38_"
  private static let rows = Dictionary(uniqueKeysWithValues: table.map { ($0.field, $0) })
}
