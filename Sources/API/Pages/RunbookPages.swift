import Config
import Web

/// The pages below `/runbooks`.
struct RunbookPages: Sendable {
  let source: RunbookSource
  /// nil where no fleet is watched.
  let fleet: FleetView?
  let metricsPath: String

  var routes: [Route] {
    [
      Route("/runbooks") { _ in await index() },
      Route("/runbooks/all") { _ in await all() },
      Route(under: "/runbooks/") { request in await one(request) },
    ]
  }

  private static let noFolder = "No directory of runbooks is known: name one in redline.yml, under rules.runbooks."

  private func index() async -> Response {
    let names = await source.read(orElse: []) { $0.names() }
    let notice = source.folder().map { "There is no runbook in \($0)." } ?? Self.noFolder
    return RunbookPage(index: names, notice: notice, metricsPath: metricsPath).response()
  }

  private func all() async -> Response {
    let target = RunbookTarget(setting: source.setting())
    let texts = await source.read(orElse: []) { library -> [RunbookPage.Runbook] in
      let names = library.names()
      return names.compactMap { name in
        library.text(name).map {
          RunbookPage.Runbook(name, Markdown(runbook: $0, for: target, headingOffset: 1, names: Set(names)))
        }
      }
    }
    guard !texts.isEmpty else { return await index() }
    return RunbookPage(all: texts, metricsPath: metricsPath).response()
  }

  /// `/runbooks/NAME?workload=W&node=N`
  private func one(_ request: Request) async -> Response {
    let name = request.rest(under: "/runbooks/") ?? ""
    let (text, names) = await source.read(orElse: (nil, [])) { ($0.text(name), $0.names()) }
    guard let text else {
      let meant = nearest(to: name, in: names).map { "Did you mean \($0)? " } ?? ""
      return ErrorPage(
        status: 404, title: "Not found",
        explanation: "There is no runbook of this name. \(meant)The list is at /runbooks.", metricsPath: metricsPath
      ).response()
    }
    let target = await source.target(RunbookQuery.labels { request.queryValue($0) }, in: fleet)
    return RunbookPage(
      RunbookPage.Runbook(name, Markdown(runbook: text, for: target, names: Set(names))), metricsPath: metricsPath
    ).response()
  }
}
