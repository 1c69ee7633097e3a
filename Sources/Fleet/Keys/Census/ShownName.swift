import Config

extension CensusOverview.Key {
  /// The name as people may see it: printable ASCII, and `\xNN` for all else.
  ///
  /// - Parameter isLoggedIn: whether who asks had to log in, and did.
  /// - Returns: a hash where names are not for everybody; nil where they are for nobody.
  public func shownName(_ rule: KeyspaceConfig.Names, isLoggedIn: Bool) -> String? {
    switch rule {
    case .never: return nil
    case .loggedIn where isLoggedIn: return Self.escaped(name) + (name.count < nameCount ? "…" : "")
    case .loggedIn, .hashed: return "#\(hash)"
    }
  }

  private static func escaped(_ name: [UInt8]) -> String {
    var text = ""
    for byte in name {
      if 0x21...0x7e ~= byte, byte != UInt8(ascii: "\\") {
        text.unicodeScalars.append(UnicodeScalar(byte))
      } else {
        let digits = String(byte, radix: 16)
        text += "\\x" + (digits.count < 2 ? "0" : "") + digits
      }
    }
    return text
  }
}
