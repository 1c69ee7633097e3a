// A table, one row a field.
// swift-format-ignore-file

import Logging
import Metrics
import Redis

/// What FT.INFO says of the search indexes of one server.
struct SearchIndexReport: Sendable {
  let name: [UInt8]
  private let values: [(family: Family, value: Double)]

  /// An average over nothing, which is no number, is left out.
  ///
  /// - Returns: nil for an error, such as that of an index that was dropped meanwhile.
  init?(name: [UInt8], _ reply: Reply) {
    guard let elements = reply.elements else { return nil }
    self.name = name
    var values: [(family: Family, value: Double)] = []
    var iterator = elements.makeIterator()
    while let key = iterator.next(), let value = iterator.next() {
      guard let bytes = key.bytes, let row = Self.rows.first(where: { bytes.elementsEqual($0.field.utf8) }),
        let number = value.double, number.isFinite
      else { continue }
      values.append((row.family, number * row.factor))
    }
    self.values = values
  }

  func add(into sink: inout SampleSink) {
    for (family, value) in values { sink.add(family, value, .text(keyLabel(name))) }
  }

  static var families: [Family] { rows.map(\.family) }

  private typealias Row = (field: String, family: Family, factor: Double)
  private static let traits: [Family.Trait] = [.flag("`--include-search-indexes-metrics`"), .since("RediSearch 2")]

  private static func gauge(
    _ field: String, as name: String, _ unit: Unit = .none, times factor: Double = 1, help: String
  ) -> Row {
    (field, .gauge("search_index_\(name)", "\(help) (FT.INFO \(field)).", labels: ["index_name"], unit: unit, traits: traits), factor)
  }

  private static let rows: [Row] = [
    gauge("num_docs", as: "num_docs", help: "Documents in the index"),
    gauge("max_doc_id", as: "max_doc_id", help: "The highest number of a document in the index"),
    gauge("num_terms", as: "num_terms", help: "Different terms in the index"),
    gauge("num_records", as: "num_records", help: "Records in the index"),
    gauge("inverted_sz_mb", as: "inverted_size_bytes", .bytes, times: 1_048_576, help: "Memory of the inverted index, in bytes"),
    gauge("vector_index_sz_mb", as: "vector_index_size_bytes", .bytes, times: 1_048_576, help: "Memory of the vector index, in bytes"),
    gauge("total_inverted_index_blocks", as: "total_inverted_index_blocks", help: "Blocks of the inverted index"),
    gauge("offset_vectors_sz_mb", as: "offset_vectors_size_bytes", .bytes, times: 1_048_576, help: "Memory of the places of terms in documents, in bytes"),
    gauge("doc_table_size_mb", as: "doc_table_size_bytes", .bytes, times: 1_048_576, help: "Memory of what is known of each document, in bytes"),
    gauge("sortable_values_size_mb", as: "sortable_values_size_bytes", .bytes, times: 1_048_576, help: "Memory of values that can be sorted by, in bytes"),
    gauge("key_table_size_mb", as: "key_table_size_bytes", .bytes, times: 1_048_576, help: "Memory of the table from numbers of documents to keys, in bytes"),
    gauge("tag_overhead_sz_mb", as: "tag_overhead_size_bytes", .bytes, times: 1_048_576, help: "Memory of what makes fields of tags fast, in bytes"),
    gauge("text_overhead_sz_mb", as: "text_overhead_size_bytes", .bytes, times: 1_048_576, help: "Memory of what makes fields of text fast, in bytes"),
    gauge("total_index_memory_sz_mb", as: "total_index_memory_size_bytes", .bytes, times: 1_048_576, help: "Memory of the whole index, in bytes"),
    gauge("geoshapes_sz_mb", as: "geoshapes_size_bytes", .bytes, times: 1_048_576, help: "Memory of geographic fields, in bytes"),
    gauge("records_per_doc_avg", as: "avg_per_doc_records", help: "Average number of records of a document"),
    gauge("bytes_per_record_avg", as: "avg_per_record_bytes", .bytes, help: "Average size of a record, in bytes"),
    gauge("offsets_per_term_avg", as: "avg_per_term_offsets", help: "Average number of places of a term"),
    gauge("offset_bits_per_record_avg", as: "avg_per_record_offset_bits", help: "Average number of bits for the places of a record"),
    gauge("hash_indexing_failures", as: "hash_indexing_failures", help: "Documents that could not be indexed"),
    gauge("indexing", as: "indexing", help: "Whether the index is being built, 1 or 0"),
    gauge("percent_indexed", as: "percent_indexed", help: "Share of the documents that is indexed, 0 to 1"),
    gauge("cleaning", as: "cleaning", help: "Whether the index is being deleted, 1 or 0"),
    ("number_of_uses", .counter("search_index_number_of_uses_total", "Times that the index was used; each FT.INFO of redline is one (FT.INFO number_of_uses).",
      labels: ["index_name"], traits: traits), 1),
  ]
}

extension KeyPlace {
  static let searchList: Command = ["FT._LIST"]
  static func searchInfo(_ index: [UInt8]) -> Command { Command(bytes: [Array("FT.INFO".utf8), index]) }

  /// The indexes whose names match; none where the server has no search or refuses it.
  func readSearchIndexes(
    _ matches: @Sendable ([UInt8]) -> Bool, _ complaints: ComplaintLog
  ) async throws(RedisError) -> [SearchIndexReport] {
    let matching = try await searchReply(to: Self.searchList, complaints)?.elements?.compactMap { $0.bytes.map { Array($0) } }
      .filter(matches) ?? []
    let names = matching.prefix(KeyWorkLimits.searchIndexes)
    let leftOut = matching.count - names.count
    if leftOut > 0 {
      cost.droppedCount.add(Double(leftOut * SearchIndexReport.families.count))
      complaints.tell(
        "search indexes", "there are more search indexes than redline exports",
        reason: "the limit is \(KeyWorkLimits.searchIndexes); name those that matter by --check-search-indexes", at: self)
    } else {
      complaints.end("search indexes", at: self)
    }
    var reports: [SearchIndexReport] = []
    for name in names {
      guard let reply = try await searchReply(to: Self.searchInfo(name), complaints) else { continue }
      if let report = SearchIndexReport(name: name, reply) { reports.append(report) }
    }
    return reports
  }

  /// - Returns: nil where the server refuses the command, or answers more than is read.
  private func searchReply(to command: Command, _ complaints: ComplaintLog) async throws(RedisError) -> Reply? {
    do throws(RedisError) {
      return try await link.send([command])[0]
    } catch {
      guard error.errorClass == .limit else { throw error }
      cost.errorCount.add(1, error.errorClass.rawValue)
      complaints.tell("search", "what the server says of its search indexes is too large to be read", error, at: self)
      return nil
    }
  }
}
