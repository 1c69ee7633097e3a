import Runtime
import Web

/// Answers `/-/reload`: by one reload at a time, or not at all.
struct ReloadEndpoint: Sendable {
  /// `web.enable-lifecycle`
  let isEnabled: Bool
  private let isUnderWay = Lock(false)

  init(isEnabled: Bool) { self.isEnabled = isEnabled }

  func respond(_ reload: () async -> Response) async -> Response {
    guard isEnabled else {
      return .text(
        "reloading by the web is switched off; start redline without --web.enable-lifecycle=false to switch it on, or "
          + "send the process SIGHUP\n", status: 403)
    }
    let isFirst = isUnderWay.withLock { isUnderWay in
      defer { isUnderWay = true }
      return !isUnderWay
    }
    guard isFirst else {
      return .text(
        "a reload is under way; try again when it has ended\n", status: 409,
        headers: [.init(name: "Retry-After", value: "1")])
    }
    defer { isUnderWay.withLock { $0 = false } }
    return await reload()
  }
}
