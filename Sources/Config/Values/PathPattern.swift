import Glibc

/// Paths with `*`, `?` and `[…]` in them, as a shell has them.
public enum PathPattern {
  /// The files that match, sorted; a path without such a sign matches itself when it exists.
  public static func matches(_ pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
  }
}
