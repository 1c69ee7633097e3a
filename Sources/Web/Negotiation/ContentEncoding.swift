/// How a body is sent: as it is, or compressed.
public enum ContentEncoding: Sendable, Hashable, CaseIterable {
  case identity, gzip

  /// The encoding that a request asks for (RFC 9110, 12.5.3).
  ///
  /// Gzip where it is allowed and not weighted below identity. A request that forbids both gets identity:
  /// an unreadable page is worth more than an error to a scraper that set a header by mistake.
  public static func negotiated(acceptEncoding: String?) -> ContentEncoding {
    guard let acceptEncoding else { return .identity }
    var gzip: Int?
    var identity: Int?
    var others: Int?
    for item in WeightedList(acceptEncoding).items {
      switch item.value {
      case "gzip", "x-gzip": gzip = max(gzip ?? 0, item.quality)
      case "identity": identity = max(identity ?? 0, item.quality)
      case "*": others = max(others ?? 0, item.quality)
      default: break
      }
    }
    let gzipQuality = gzip ?? others ?? 0
    return gzipQuality > 0 && gzipQuality >= (identity ?? 0) ? .gzip : .identity
  }
}
