import NIOCore
import NIOSSL

extension ChannelHandlerContext {
  /// Whether the certificate of the server carries this name, after the handshake.
  ///
  /// NIOSSL also takes a certificate for the address that was connected to; a name that was asked for must be there.
  public func isServerCertified(as name: String) -> Bool {
    let certificate = try? pipeline.syncOperations.handler(type: NIOSSLHandler.self).peerCertificate
    let names = certificate?._subjectAlternativeNames().compactMap { alternative -> String? in
      alternative.nameType == .dnsName ? String(decoding: alternative.contents, as: UTF8.self) : nil
    }
    return names?.contains { certifies($0, name) } ?? false
  }
}

/// Whether a name of a certificate, which may begin with `*.`, stands for `name`.
func certifies(_ pattern: String, _ name: String) -> Bool {
  let (pattern, name) = (pattern.lowercased(), name.lowercased())
  if pattern == name { return true }
  guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
  return dot != name.startIndex && name[dot...] == pattern.dropFirst()
}
