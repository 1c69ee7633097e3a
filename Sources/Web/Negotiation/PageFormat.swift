/// The exposition formats in which a page of metrics can be had.
public enum PageFormat: Sendable, Hashable, CaseIterable {
  /// Prometheus text format 0.0.4.
  case text
  /// OpenMetrics 1.0.0.
  case openMetrics

  /// The value of the Content-Type header.
  public var contentType: String {
    switch self {
    case .text: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
    }
  }

  /// The format that a request asks for.
  ///
  /// OpenMetrics is given only where it is enabled, named by its own type, and weighted above text:
  /// a wildcard or a tie means text.
  /// - Parameter accept: the Accept header, nil where the request has none.
  public static func negotiated(accept: String?, openMetricsEnabled: Bool) -> PageFormat {
    guard openMetricsEnabled, let accept else { return .text }
    var openMetricsQuality = 0
    var textQuality = 0
    for item in WeightedList(accept).items {
      switch item.value {
      case "application/openmetrics-text" where item.hasVersion("1.0.0"):
        openMetricsQuality = max(openMetricsQuality, item.quality)
      case "text/plain" where item.hasVersion("0.0.4"):
        textQuality = max(textQuality, item.quality)
      default: break
      }
    }
    return openMetricsQuality > textQuality ? .openMetrics : .text
  }
}

extension WeightedList.Item {
  /// Whether the item leaves the version open or names this one.
  fileprivate func hasVersion(_ version: String) -> Bool {
    parameters.allSatisfy { $0.name != "version" || $0.value == version }
  }
}
