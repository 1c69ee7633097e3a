import Testing

@testable import HTTPClient

struct HTTPDateTests {
  @Test(arguments: [
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
    ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
    ("Sat, 28 Nov 2026 03:17:06 GMT", 1_795_835_826),
  ])
  func reads(text: String, seconds: Int64) {
    #expect(HTTPDate.parse(text) == seconds)
  }

  @Test(arguments: [
    "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Növ 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
  ])
  func refuses(text: String) {
    #expect(HTTPDate.parse(text) == nil)
  }

  @Test(arguments: [
    ("", "", "Basic Og=="), ("a", "b", "Basic YTpi"), ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ("ü", "?>", "Basic w7w6Pz4="),
  ])
  func writesBasicAuthorization(user: String, password: String, value: String) {
    #expect(basicAuthorization(user: user, password: password) == value)
  }
}
