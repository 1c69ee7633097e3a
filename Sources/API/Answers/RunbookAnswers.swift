import Config
import Fleet
import Runtime
import Web

/// What to do about an alert: what `/runbooks` shows.
struct RunbookAnswers: Sendable {
  let source: RunbookSource
  let view: FleetView

  /// The names of all.
  func list(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let names = await source.read(orElse: []) { $0.names() }
    answer.data.object { json in
      json.key("runbooks")
      json.strings(names)
    }
  }

  /// `runbooks/NAME?workload=W&node=N`: as Markdown, with the commands filled in.
  func runbook(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let name = parameters.rest
    let (text, names) = await source.read(orElse: (nil, [])) { ($0.text(name), $0.names()) }
    guard let text else {
      let meant = nearest(to: name, in: names).map { "did you mean \($0)?" } ?? "all are at \(HTTPAPI.prefix)runbooks"
      throw APIError(.notFound, "there is no runbook \(parameters.shown(name)): \(meant)")
    }
    let labels = RunbookQuery.labels { parameters.form.value($0) }
    let target = await source.target(labels, in: view)
    if target.workload == nil, let workload = labels["workload"] {
      let meant = nearest(to: workload, in: await view.names()).map { "did you mean \($0)?" }
      throw APIError(
        .notFound,
        "there is no workload \(parameters.shown(workload)): \(meant ?? "all are at \(HTTPAPI.prefix)fleet")")
    }
    if let node = labels["instance"], !target.servers.contains(where: { $0.instance == node }) {
      let known = target.workload == nil ? Array(await view.nodes()) : target.servers.map(\.instance)
      let meant = nearest(to: node, in: known.sorted()).map { "did you mean \($0)?" }
      throw APIError(
        .notFound, "there is no node \(parameters.shown(node)): \(meant ?? "all are at \(HTTPAPI.prefix)fleet")")
    }
    answer.data.object { json in
      json.field("name", name)
      if let workload = target.workload { json.field("workload", workload.name) }
      if let node = labels["instance"] { json.field("node", node) }
      json.field("text", KnownSecrets.masked(RunbookText.now(text, for: target), sparesWords: true))
    }
  }
}
