import Config
import PromQL
import Runtime

/// Label sets as the files hold them.
extension Labels {
  /// A JSON object of texts; equal sets are written alike.
  var json: String { jsonObject(pairs.lazy.map { (key: $0.name, value: $0.value) }) }

  /// - Returns: nil for what is no JSON object of texts.
  init?(json: String) {
    guard let texts = try? JSONStringMap.parse(Array(json.utf8), file: "labels") else { return nil }
    self.init(texts.map { Labels.Pair($0.key, $0.value) })
  }
}
