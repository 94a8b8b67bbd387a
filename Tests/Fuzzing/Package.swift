// swift-tools-version: 6.2
import PackageDescription

// The server's modules once more, instrumented: libFuzzer's coverage must reach the parsers, and their names are internal.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let instrumented = settings + [.unsafeFlags(["-sanitize=fuzzer,address"])]

let package = Package(
    name: "fuzzing",
    dependencies: [
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", path: "Sources/CShims/COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CNGHTTP2", path: "Sources/CShims/CNGHTTP2", pkgConfig: "libnghttp2"),
        .target(name: "CLinuxNet", path: "Sources/CShims/CLinuxNet"),
        .target(name: "CPrefetch", path: "Sources/CShims/CPrefetch"),
        .target(name: "CIPSecMB", path: "Sources/CShims/CIPSecMB"),
        .target(name: "CChecksum", path: "Sources/CShims/CChecksum"),
        .target(name: "CPageAssets", path: "Sources/CShims/CPageAssets"),
        .target(
            name: "RoundhouseMedia",
            dependencies: ["COpenSSL", "CLinuxNet", "CPrefetch", "CIPSecMB", "CChecksum"], path: "Sources/Media",
            swiftSettings: instrumented),
        .target(
            name: "RoundhouseRooms",
            dependencies: ["RoundhouseMedia", .product(name: "Logging", package: "swift-log")], path: "Sources/Rooms",
            swiftSettings: instrumented),
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
            ], path: "Sources/Gateway", exclude: ["Page"], swiftSettings: instrumented),
        .target(
            name: "TestSupport", dependencies: ["RoundhouseMedia", "RoundhouseRooms", "CLinuxNet"],
            path: "Sources/TestSupport", swiftSettings: settings),
        .target(
            name: "Targets",
            dependencies: [
                "RoundhouseMedia", "RoundhouseRooms", "RoundhouseGateway", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ], swiftSettings: instrumented),
        .executableTarget(
            name: "Fuzz", dependencies: ["Targets"], path: "Sources/FuzzMain",
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
    ]
)
