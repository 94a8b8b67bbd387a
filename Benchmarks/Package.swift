// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

var targets: [Target] = [
    .executableTarget(
        name: "LoadGenerator",
        cSettings: [.unsafeFlags(["-O2"])],
        linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto"), .linkedLibrary("m")]),
    .target(name: "AllocationCounter", cSettings: [.unsafeFlags(["-fno-builtin"])]),
    .executableTarget(
        name: "RoomFanout",
        dependencies: [
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOWebSocket", package: "swift-nio"),
        ],
        swiftSettings: settings),
]
// The floor's transforms are AES-NI, PCLMULQDQ and SHA-NI.
#if arch(x86_64)
    targets.append(
        .executableTarget(
            name: "Floor",
            cSettings: [.unsafeFlags(["-O3", "-march=native", "-Wno-deprecated-declarations"])],
            linkerSettings: [.linkedLibrary("crypto")]))
#endif

let package = Package(
    name: "benchmarks",
    products: [.library(name: "AllocationCounter", type: .dynamic, targets: ["AllocationCounter"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: targets)
