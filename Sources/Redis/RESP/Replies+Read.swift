extension Replies {
  /// Reads replies that are at hand whole, such as captured ones.
  ///
  /// - Throws: ``ReplyError`` when the bytes are not RESP.
  public static func read(_ bytes: [UInt8]) throws(ReplyError) -> Replies {
    let reader = ReplyReader()
    var failure: ReplyError?
    unsafe bytes.withUnsafeBytes { raw in
      do throws(ReplyError) { unsafe try reader.feed(raw) } catch { failure = error }
    }
    if let failure { throw failure }
    return reader.take()
  }
}
