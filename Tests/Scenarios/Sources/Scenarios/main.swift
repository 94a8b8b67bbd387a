import Foundation

do {
    exit(try await Command(arguments: Array(CommandLine.arguments.dropFirst())).run() ? 0 : 1)
} catch {
    print("scenarios: \(error)")
    exit(2)
}
