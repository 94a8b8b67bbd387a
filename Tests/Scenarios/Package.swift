// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "scenarios",
    targets: [
        // Congestion control and what it stands on, once more: building all of Media would take minutes.
        .target(
            name: "RoundhouseMedia",
            swiftSettings: settings + [.strictMemorySafety(), .unsafeFlags(["-enable-testing"])]),
        .executableTarget(
            name: "scenarios", dependencies: ["RoundhouseMedia"], path: "Sources/Scenarios",
            swiftSettings: settings,
            linkerSettings: [.linkedLibrary("m")]),
    ]
)
