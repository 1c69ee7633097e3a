// swift-tools-version: 6.2
import PackageDescription

/// One flag set for every Swift target: the language mode of Swift 6 with every unsafe expression marked.
let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")

/// A part of the C library.
func door(_ name: String) -> Target { .systemLibrary(name: name) }

/// A C library of the system, behind a module map and `static inline` shims.
func door(_ name: String, apt: String) -> Target {
  .systemLibrary(name: name, providers: [.apt([apt])])
}

/// A C++ library of the system, behind a shim with a C interface. SwiftPM knows no providers for such a target: `apt`
/// is what the build scripts read.
func door(_ name: String, cxx library: String, apt: String) -> Target {
  .target(name: name, linkerSettings: [.linkedLibrary(library)])
}

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, resources: resources,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "redline",
  products: [.executable(name: "redline", targets: ["redline"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2", traits: []),
  ],
  targets: [
    // Doors: C libraries, no logic.
    door("CHiredis", apt: "libhiredis-dev"),
    door("CMicrohttpd", apt: "libmicrohttpd-dev"),
    door("CYAML", apt: "libyaml-dev"),
    door("CCmark", apt: "libcmark-gfm-dev"),
    door("CCmarkExtensions", apt: "libcmark-gfm-extensions-dev"),
    door("CCrypt", apt: "libcrypt-dev"),
    door("CZlib", apt: "zlib1g-dev"),
    door("CIsal", apt: "libisal-dev"),
    door("CMalloc"),
    door("CSQLite", apt: "libsqlite3-dev"),
    door("CRE2", cxx: "re2", apt: "libre2-dev"),

    // Floor 0.
    module("Runtime", []),
    module("Compression", ["CZlib", "CIsal"]),
    module("Metrics", ["Runtime"]),
    module("Transport", ["Runtime", nio, nioPosix, nioSSL]),
    // Floor 1.
    module("Redis", ["Runtime", "Transport", "CHiredis", nio, nioPosix, nioTLS, nioSSL]),
    module("Config", ["Runtime", "CYAML"]),
    module("HTTPClient", ["Runtime", "Transport", nio, nioPosix, nioHTTP, nioTLS, nioSSL]),
    module("Storage", ["Runtime", "CSQLite"]),
    module("PromQL", ["Runtime", "CRE2"]),
    // Floor 2.
    module(
      "Fleet",
      [
        "Runtime", "Compression", "Transport", "Redis", "Metrics", "Config", "Storage", nio, nioPosix, nioSSL, log,
      ]),
    module(
      "Alerting",
      ["Runtime", "Transport", "PromQL", "Metrics", "Config", "HTTPClient", "Storage", nio, log]),
    module(
      "Web", ["Runtime", "Metrics", "Config", "CMicrohttpd", "CCrypt", "CIsal", "CCmark", "CCmarkExtensions", log]),
    // Floor 3.
    module(
      "API",
      ["Runtime", "Redis", "Metrics", "Config", "Storage", "PromQL", "Alerting", "Fleet", "Web", nio]),
    module(
      "Drills",
      ["Runtime", "Transport", "Redis", "Config", "HTTPClient", "Fleet", nio, nioPosix, log, subprocess]),
    // Top.
    .executableTarget(
      name: "redline",
      dependencies: [
        "CMalloc", "Runtime", "Transport", "Redis", "Metrics", "Config", "Storage", "HTTPClient", "PromQL", "Alerting",
        "Fleet", "Web", "API", "Drills",
        nio, nioPosix, nioSSL, log,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: swiftSettings),

    .target(
      name: "TestSupport", dependencies: ["Runtime", nio, nioPosix, nioHTTP], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    tests("RuntimeTests", ["Runtime"]),
    tests("CompressionTests", ["Compression"]),
    tests("MetricsTests", ["Metrics", "Runtime"]),
    tests("RedisTests", ["Redis"]),
    tests("StorageTests", ["Storage", "Runtime"]),
    tests("PromQLTests", ["PromQL", "Runtime"], exclude: ["Scripts"]),
    tests("TransportTests", ["Transport"]),
    tests("HTTPClientTests", ["HTTPClient", "Transport", "Runtime", nio, nioPosix, nioHTTP, nioSSL]),
    tests("ConfigTests", ["Config"], exclude: ["Fixtures"]),
    tests(
      "AlertingTests", ["Alerting", "PromQL", "Metrics", "Config", "HTTPClient", "Runtime", nio, nioPosix, log],
      exclude: ["Fixtures"]),
    tests(
      "FleetTests", ["Fleet", "Runtime", "Redis", "Metrics", "Config", "Storage", nio, nioPosix, log],
      exclude: ["Evidence/Scenarios", "Fixtures", "Goldens", "Scenarios"]),
    tests(
      "APITests", ["API", "Alerting", "Config", "Fleet", "PromQL", "Metrics", "Redis", "Runtime", "Storage", "Web"]),
    tests("DrillsTests", ["Drills", "Config", "Fleet", "Redis", "Runtime"]),
    tests(
      "RedlineTests", ["redline", "API", "Config", "Fleet", "Metrics", "Runtime", "Web", nioPosix],
      exclude: ["Reports/Goldens"]),
    tests("WebTests", ["Web", "Runtime", "Metrics", "Config", "CMicrohttpd", log], exclude: ["Goldens"]),
  ]
)
