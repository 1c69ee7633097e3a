import Glibc

/// The environment of this process. Entries that are not `NAME=value` are left out; of a name given twice the first
/// counts.
public func processEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe environ
  while let entry = unsafe next.pointee {
    let text = unsafe String(cString: entry)
    if let equals = text.firstIndex(of: "=") {
      let name = String(text[..<equals])
      if result[name] == nil { result[name] = String(text[text.index(after: equals)...]) }
    }
    unsafe next += 1
  }
  return result
}
