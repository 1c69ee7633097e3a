import Compression
import Runtime
import Storage

extension Evidence {
  /// How much may come out of a deflated record.
  private static let bodyLimit = 4 << 20

  /// As it is kept: within ``StoreLimits/evidenceBytes``, for which the longest tables lose rows.
  public var stored: StoredEvidence {
    var record = self
    var body = Deflate.compressed(Array(record.bodyText.utf8))
    while body.count > StoreLimits.evidenceBytes, record.halveTables() {
      body = Deflate.compressed(Array(record.bodyText.utf8))
    }
    if body.count > StoreLimits.evidenceBytes {
      record.looks = []
      record.isCut = true
      body = Deflate.compressed(Array(record.bodyText.utf8))
    }
    return StoredEvidence(
      id: id, workload: workload, node: node ?? "", alert: alert, atMs: atMs, firedAtMs: firedAtMs,
      head: record.headText,
      body: body)
  }

  /// Halves the rows and lines of every section with more than one.
  ///
  /// - Returns: whether anything is left out by it.
  private mutating func halveTables() -> Bool {
    var isShorter = false
    func halve(_ sections: inout [Section]) {
      for index in sections.indices {
        if let table = sections[index].table, table.rows.count > 1 {
          let kept = table.rows.count / 2
          sections[index].table?.rows = Array(table.rows.prefix(kept))
          sections[index].table?.omittedCount += table.rows.count - kept
          isShorter = true
        }
        if sections[index].lines.count > 1 {
          sections[index].lines.removeLast(sections[index].lines.count / 2)
          isShorter = true
        }
      }
    }
    for look in looks.indices {
      halve(&looks[look].sections)
      for node in looks[look].nodes.indices { halve(&looks[look].nodes[node].sections) }
    }
    isCut = isCut || isShorter
    return isShorter
  }

  // MARK: Writing

  /// What lists show, as a JSON object.
  private var headText: String {
    JSONWriter.text { json in
      json.object { json in
        json.field("severity", severity)
        json.key("alerts")
        json.array { json in
          for subject in subjects {
            json.object { json in
              json.field("name", subject.alert)
              json.field("labels", subject.labelsHash)
            }
          }
        }
        json.key("looks")
        json.array { json in for look in looks { json.integer(look.atMs) } }
        json.key("culprits")
        json.array { json in
          for culprit in culprits {
            json.object { json in
              json.field("rule", culprit.rule)
              json.field("key", culprit.key)
              json.field("weight", culprit.weight)
              json.field("text", culprit.text)
              json.field("restsOn", culprit.restsOn)
            }
          }
        }
        json.field("cut", isCut)
      }
    }
  }

  private var bodyText: String {
    JSONWriter.text { json in
      json.array { json in for look in looks { look.write(to: &json) } }
    }
  }

  // MARK: Reading

  /// - Parameter stored: as it was read; what cannot be read of it is left out.
  public init(_ stored: StoredEvidence) {
    let head = (try? JSONReader.value(Array(stored.head.utf8))) ?? .object([])
    func text(_ value: JSONValue?, _ name: String) -> String { value?[name]?.string ?? "" }
    id = stored.id
    alert = stored.alert
    subjects = (head["alerts"]?.elements ?? []).prefix(Self.subjectLimit).map {
      Subject(alert: text($0, "name"), labelsHash: text($0, "labels"))
    }
    if subjects.isEmpty { subjects = [Subject(alert: stored.alert, labelsHash: "")] }
    severity = text(head, "severity")
    workload = stored.workload
    node = stored.node.isEmpty ? nil : stored.node
    atMs = stored.atMs
    firedAtMs = stored.firedAtMs
    culprits = (head["culprits"]?.elements ?? []).prefix(Self.culpritLimit).map {
      Culprit(
        text($0, "rule"), key: text($0, "key"), weight: Int(clamping: $0["weight"]?.number ?? 0), text($0, "text"),
        restsOn: text($0, "restsOn"))
    }
    isCut = head["cut"] == .boolean(true)
    let times = (head["looks"]?.elements ?? []).compactMap(\.number)
    if !stored.body.isEmpty, let bytes = try? Deflate.restored(stored.body, limit: Self.bodyLimit),
      let body = try? JSONReader.value(bytes)
    {
      looks = body.elements.compactMap { Look($0) }
    } else {
      looks = times.map { Look(moment: .pending, atMs: Int64(clamping: $0)) }
    }
  }
}

extension Evidence.Look {
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("moment", moment.rawValue)
      json.field("atMs", atMs)
      json.key("nodes")
      json.array { json in for node in nodes { node.write(to: &json) } }
      json.key("sections")
      json.array { json in for section in sections { section.write(to: &json) } }
    }
  }

  fileprivate init?(_ json: JSONValue) {
    guard let moment = json["moment"]?.string.flatMap({ Evidence.Moment(rawValue: $0) }), let at = json["atMs"]?.number
    else { return nil }
    self.moment = moment
    atMs = Int64(clamping: at)
    nodes = (json["nodes"]?.elements ?? []).compactMap { Evidence.Node($0) }
    sections = (json["sections"]?.elements ?? []).map { Evidence.Section($0) }
  }
}

extension Evidence.Node {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("instance", instance)
      json.field("role", role)
      if let silence { json.field("silence", silence) }
      json.field("atMs", atMs)
      json.key("figures")
      json.array { json in
        for figure in figures {
          json.object { json in
            json.field("name", figure.name)
            json.field("title", figure.title)
            json.field("unit", figure.unit.rawValue)
            json.field("value", figure.value)
          }
        }
      }
      json.key("sections")
      json.array { json in for section in sections { section.write(to: &json) } }
    }
  }

  fileprivate init?(_ json: JSONValue) {
    guard let instance = json["instance"]?.string, let at = json["atMs"]?.number else { return nil }
    self.init(
      instance: instance, role: json["role"]?.string ?? "unknown", silence: json["silence"]?.string,
      atMs: Int64(clamping: at))
    figures = (json["figures"]?.elements ?? []).compactMap { figure in
      guard let name = figure["name"]?.string, let value = figure["value"]?.number else { return nil }
      return Evidence.Figure(
        name, figure["title"]?.string ?? name,
        figure["unit"]?.string.flatMap { Evidence.Unit(rawValue: $0) } ?? .count, value)
    }
    sections = (json["sections"]?.elements ?? []).map { Evidence.Section($0) }
  }
}

extension Evidence.Section {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("source", source)
      json.field("title", title)
      json.key("lines")
      json.strings(lines)
      guard let table else { return }
      json.key("columns")
      json.strings(table.columns)
      json.key("rows")
      json.array { json in for row in table.rows { json.strings(row) } }
      if table.omittedCount > 0 { json.field("omittedRows", table.omittedCount) }
    }
  }

  fileprivate init(_ json: JSONValue) {
    func texts(_ value: JSONValue?) -> [String] { (value?.elements ?? []).map { $0.string ?? "" } }
    self.init(source: json["source"]?.string ?? "", title: json["title"]?.string ?? "", lines: texts(json["lines"]))
    guard json["columns"] != nil else { return }
    let columns = texts(json["columns"])
    let rows = (json["rows"]?.elements ?? []).map { row in
      let cells = texts(row)
      return columns.indices.map { cells.indices.contains($0) ? cells[$0] : "" }
    }
    table = Evidence.Table(columns, rows)
    table?.omittedCount += Int(clamping: json["omittedRows"]?.number ?? 0)
  }
}
