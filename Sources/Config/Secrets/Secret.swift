import Runtime

/// A text that must not be seen. It prints as `<secret>` in every form: description, dump, interpolation, reflection.
///
/// `reveal()` is the only way to the text, so that a search for it finds every use.
public struct Secret: Sendable, Equatable {
  private let text: String

  /// From now on no text of others repeats it (``KnownSecrets``).
  public init(_ text: String) {
    self.text = text
    KnownSecrets.add(text)
  }

  public func reveal() -> String { text }

  public var isEmpty: Bool { text.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, TextOutputStreamable, CustomReflectable {
  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public func write<Target: TextOutputStream>(to target: inout Target) { target.write("<secret>") }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
