// swift-tools-version: 6.2
import PackageDescription

// The media plane once more, instrumented: libFuzzer's coverage must reach the parsers, and their names are internal.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "fuzzing",
    targets: [
        .systemLibrary(name: "COpenSSL", path: "Sources/CShims/COpenSSL", pkgConfig: "openssl"),
        .target(name: "CLinuxNet", path: "Sources/CShims/CLinuxNet"),
        .target(name: "CPrefetch", path: "Sources/CShims/CPrefetch"),
        .target(name: "CIPSecMB", path: "Sources/CShims/CIPSecMB"),
        .target(
            name: "RoundhouseMedia",
            dependencies: ["COpenSSL", "CLinuxNet", "CPrefetch", "CIPSecMB"], path: "Sources/Media",
            swiftSettings: settings + [.unsafeFlags(["-sanitize=fuzzer,address"])]),
        .target(
            name: "Targets", dependencies: ["RoundhouseMedia"],
            swiftSettings: settings + [.unsafeFlags(["-sanitize=fuzzer,address"])]),
        .executableTarget(
            name: "Fuzz", dependencies: ["Targets"], path: "Sources/FuzzMain",
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
    ]
)
