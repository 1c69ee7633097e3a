import CMicrohttpd
import Config

/// The credentials and rules of TLS sessions, read from files once: immutable, so a reload makes another one.
@safe public final class TLSContext: @unchecked Sendable {
  private let credentials: gnutls_certificate_credentials_t
  private let priority: gnutls_priority_t
  private let request: gnutls_certificate_request_t
  private let verification: Verification

  /// What the verification of a client needs, found through the session.
  fileprivate final class Verification: Sendable {
    let mode: TLSSettings.ClientAuthentication
    let allowedNames: Set<String>
    init(_ settings: TLSSettings) {
      mode = settings.clientAuthentication
      allowedNames = Set(settings.allowedClientNames)
    }
  }

  /// - Throws: ``WebError`` that names the file and what is wrong with it.
  public init(_ settings: TLSSettings) throws(WebError) {
    let certificate = try contents(settings.certificateFile)
    let key = try contents(settings.keyFile)
    let authority = try settings.clientAuthorityFile.map { file throws(WebError) in try contents(file) }

    var credentials: gnutls_certificate_credentials_t?
    guard unsafe gnutls_certificate_allocate_credentials(&credentials) == 0, let credentials = unsafe credentials else {
      throw WebError("out of memory for TLS credentials")
    }
    var priority: gnutls_priority_t?
    do throws(WebError) {
      unsafe try TLSContext.load(into: credentials, settings, certificate: certificate, key: key, authority: authority)
      let status = unsafe gnutls_priority_init(&priority, settings.priority, nil)
      guard status == 0 else { throw WebError("TLS versions, ciphers or curves do not go together: \(reason(status))") }
    } catch {
      unsafe gnutls_certificate_free_credentials(credentials)
      throw error
    }
    unsafe self.credentials = credentials
    unsafe self.priority = priority!
    request =
      settings.clientAuthentication.requires
      ? GNUTLS_CERT_REQUIRE : settings.clientAuthentication == .none ? GNUTLS_CERT_IGNORE : GNUTLS_CERT_REQUEST
    verification = Verification(settings)
    if settings.clientAuthentication.verifies {
      unsafe gnutls_certificate_set_verify_function(credentials) { session in unsafe verifyClient(session!) }
    }
  }

  deinit {
    unsafe gnutls_priority_deinit(priority)
    unsafe gnutls_certificate_free_credentials(credentials)
  }

  /// Gives a new session these credentials. The context must live as long as the session.
  func apply(to session: gnutls_session_t) {
    unsafe gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials))
    unsafe gnutls_priority_set(session, priority)
    unsafe gnutls_certificate_server_set_request(session, request)
    unsafe gnutls_session_set_ptr(session, Unmanaged.passUnretained(verification).toOpaque())
  }

  private static func load(
    into credentials: gnutls_certificate_credentials_t, _ settings: TLSSettings, certificate: [UInt8], key: [UInt8],
    authority: [UInt8]?
  ) throws(WebError) {
    var status = unsafe withDatum(certificate) { certificate in
      unsafe withDatum(key) { key in
        unsafe gnutls_certificate_set_x509_key_mem2(credentials, certificate, key, GNUTLS_X509_FMT_PEM, nil, 0)
      }
    }
    guard status >= 0 else {
      throw WebError(
        "certificate \(settings.certificateFile) and key \(settings.keyFile) cannot be used: \(reason(status))")
    }
    unsafe gnutls_certificate_set_known_dh_params(credentials, GNUTLS_SEC_PARAM_MEDIUM)
    guard let authority, let file = settings.clientAuthorityFile else { return }
    status = unsafe withDatum(authority) { authority in
      unsafe gnutls_certificate_set_x509_trust_mem(credentials, authority, GNUTLS_X509_FMT_PEM)
    }
    guard status > 0 else {
      throw WebError("client CA file \(file) holds no usable certificate" + (status < 0 ? ": \(reason(status))" : ""))
    }
  }
}

/// Judges the certificate that a client has given. 0 lets it in.
private func verifyClient(_ session: gnutls_session_t) -> Int32 {
  guard let pointer = unsafe gnutls_session_get_ptr(session) else { return GNUTLS_E_CERTIFICATE_ERROR }
  let verification = unsafe Unmanaged<TLSContext.Verification>.fromOpaque(pointer).takeUnretainedValue()
  var count: UInt32 = 0
  guard let chain = unsafe gnutls_certificate_get_peers(session, &count), count > 0 else {
    return verification.mode.requires ? GNUTLS_E_CERTIFICATE_ERROR : 0
  }
  var status: UInt32 = 0
  let verified = unsafe withClientPurpose { purpose in
    unsafe gnutls_certificate_verify_peers(session, purpose, 1, &status)
  }
  guard verified == 0, status == 0 else { return GNUTLS_E_CERTIFICATE_ERROR }
  if verification.allowedNames.isEmpty { return 0 }
  let names = unsafe subjectNames(chain)
  return verification.allowedNames.isDisjoint(with: names) ? GNUTLS_E_CERTIFICATE_ERROR : 0
}

/// The condition that a certificate may be used by a client.
private func withClientPurpose<Result>(_ body: (UnsafeMutablePointer<gnutls_typed_vdata_st>) -> Result) -> Result {
  unsafe "1.3.6.1.5.5.7.3.2".withCString { oid in
    var data = unsafe gnutls_typed_vdata_st()
    unsafe data.type = GNUTLS_DT_KEY_PURPOSE_OID
    unsafe data.data = UnsafeMutableRawPointer(mutating: oid).assumingMemoryBound(to: UInt8.self)
    return unsafe body(&data)
  }
}

/// The names in the first certificate of a chain: DNS names, addresses, mail addresses, URIs.
private func subjectNames(_ chain: UnsafePointer<gnutls_datum_t>) -> [String] {
  var certificate: gnutls_x509_crt_t?
  guard unsafe gnutls_x509_crt_init(&certificate) == 0 else { return [] }
  defer { unsafe gnutls_x509_crt_deinit(certificate) }
  guard unsafe gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) == 0 else { return [] }
  var names: [String] = []
  for index in 0..<UInt32(64) {
    var buffer = [UInt8](repeating: 0, count: 1024)
    var size = buffer.count
    let kind = unsafe gnutls_x509_crt_get_subject_alt_name(certificate, index, &buffer, &size, nil)
    if kind == GNUTLS_E_SHORT_MEMORY_BUFFER { continue }
    guard kind >= 0 else { break }
    if kind == Int32(GNUTLS_SAN_IPADDRESS.rawValue) {
      names.append(addressText(bytes: buffer[..<size]))
    } else {
      names.append(String(decoding: buffer[..<size].prefix { $0 != 0 }, as: UTF8.self))
    }
  }
  return names
}

private func contents(_ file: String) throws(WebError) -> [UInt8] {
  do throws(ConfigError) {
    return try readFile(file, limitBytes: 1 << 20)
  } catch {
    throw WebError(error.description)
  }
}

private func withDatum<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<gnutls_datum_t>) -> Result) -> Result {
  var bytes = bytes
  return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
    var datum = unsafe gnutls_datum_t(data: buffer.baseAddress, size: UInt32(buffer.count))
    return unsafe body(&datum)
  }
}

private func reason(_ status: Int32) -> String {
  unsafe String(cString: gnutls_strerror(status))
}
