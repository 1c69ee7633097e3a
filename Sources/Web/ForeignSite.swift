/// Requests that a browser sends on behalf of another site's page, without its user knowing.
extension Request {
  /// Why a request that costs or changes something is refused; nil when nothing says that another site made it.
  ///
  /// Browsers say by `Sec-Fetch-Site` where a request comes from, over plain HTTP often by `Origin` or `Referer` alone. Of a
  /// GET, which an image is enough for, they may be silent: then a browser's is refused, since no other site can be ruled
  /// out. Programs such as curl send none of these headers.
  var refusalAsForeign: String? {
    if let site = header("Sec-Fetch-Site") {
      return ["same-origin", "none"].contains(site) ? nil : "a page of another site sent this request"
    }
    if let origin = header("Origin") ?? header("Referer") {
      return Self.authority(of: origin) == header("Host")?.lowercased()
        ? nil : "a page of another site sent this request"
    }
    guard method == "GET" || method == "HEAD", header("User-Agent")?.hasPrefix("Mozilla/") ?? false else { return nil }
    return "a browser sent this request, without saying for which site"
  }

  /// `host:port` of `http://host:port/path`, in lower case; nil for `null` and the like.
  private static func authority(of url: String) -> String? {
    guard let scheme = url.firstRange(of: "://") else { return nil }
    return url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }.lowercased()
  }
}
