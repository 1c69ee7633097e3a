import Runtime

/// What is wrong and what to do, for the log and the operator. It never holds a secret.
public struct WebError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

extension WebError: FileFailure {
  public init(file: String, reason: String) { self.init("\(file) cannot be read: \(reason)") }
}
