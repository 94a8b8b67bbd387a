// swift-tools-version: 6.2
import PackageDescription

// Continuous integration sets this; elsewhere a warning stays a warning.
let strictness: [SwiftSetting] =
    Context.environment["ROUNDHOUSE_WARNINGS"] == "error" ? [.treatAllWarnings(as: .error)] : []

let settings: [SwiftSetting] =
    strictness + [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]

// A source package has in `vendor` what SwiftPM would fetch, and builds without a network.
let isVendored = Context.environment["ROUNDHOUSE_VENDORED"] == "yes"

let fetched: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
]

// With what those need in turn: a package that is named here is taken in place of the one they name. Packaging/source
// compares this list with what was fetched.
let vendored: [Package.Dependency] = [
    "swift-argument-parser", "swift-atomics", "swift-collections", "swift-http-types", "swift-log", "swift-metrics",
    "swift-nio", "swift-system",
].map { .package(path: "vendor/\($0)") }

let package = Package(
    name: "roundhouse",
    products: [
        .executable(name: "gateway", targets: ["Server"]),
        .library(name: "RoundhouseMedia", targets: ["RoundhouseMedia"]),
        .library(name: "RoundhouseRooms", targets: ["RoundhouseRooms"]),
        .library(name: "RoundhouseGateway", targets: ["RoundhouseGateway"]),
    ],
    dependencies: isVendored ? vendored : fetched,
    targets: [
        .systemLibrary(
            name: "COpenSSL", path: "Sources/CShims/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSRTP", path: "Sources/CShims/CSRTP", pkgConfig: "libsrtp2",
            providers: [.apt(["libsrtp2-dev"])]),
        .systemLibrary(
            name: "CNGHTTP2", path: "Sources/CShims/CNGHTTP2", pkgConfig: "libnghttp2",
            providers: [.apt(["libnghttp2-dev"])]),
        .target(name: "CLinuxNet", path: "Sources/CShims/CLinuxNet"),
        .target(name: "CPrefetch", path: "Sources/CShims/CPrefetch"),
        .target(name: "CIPSecMB", path: "Sources/CShims/CIPSecMB"),
        .target(name: "CChecksum", path: "Sources/CShims/CChecksum"),
        .target(name: "CPageAssets", path: "Sources/CShims/CPageAssets"),
        .target(
            name: "RoundhouseMedia",
            dependencies: ["COpenSSL", "CLinuxNet", "CPrefetch", "CIPSecMB", "CChecksum"],
            path: "Sources/Media",
            swiftSettings: settings + [.strictMemorySafety()]),
        .target(
            name: "RoundhouseRooms",
            dependencies: ["RoundhouseMedia", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Rooms",
            swiftSettings: settings),
        .target(
            name: "RoundhouseGateway",
            dependencies: [
                "RoundhouseRooms", "RoundhouseMedia", "CPageAssets", "CNGHTTP2", "COpenSSL",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            path: "Sources/Gateway",
            exclude: ["Page"],
            swiftSettings: settings),
        .executableTarget(
            name: "Server",
            dependencies: [
                "RoundhouseMedia", "RoundhouseRooms", "RoundhouseGateway",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["RoundhouseMedia", "RoundhouseRooms", "CLinuxNet"],
            path: "Tests/TestSupport",
            swiftSettings: settings,
            // Puts the tests' own clock in front of the C library's for libssl: see WallClock.swift.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic-symbol=gettimeofday"])]),
        // The third implementation that ours is tried with.
        .target(
            name: "CUSRSCTP", path: "Tests/CUSRSCTP", linkerSettings: [.linkedLibrary("usrsctp")]),
        .testTarget(
            name: "MediaTests",
            dependencies: ["RoundhouseMedia", "TestSupport", "CLinuxNet", "COpenSSL", "CSRTP", "CUSRSCTP"],
            swiftSettings: settings),
        .testTarget(
            name: "RoomsTests", dependencies: ["RoundhouseRooms", "RoundhouseMedia", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "RoundhouseGateway", "RoundhouseRooms", "RoundhouseMedia", "TestSupport", "COpenSSL",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            exclude: ["SDP/Offers"],
            swiftSettings: settings),
        .testTarget(name: "ServerTests", dependencies: ["Server"], swiftSettings: settings),
        .testTarget(name: "LayoutTests", swiftSettings: settings),
    ]
)
