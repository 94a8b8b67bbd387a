import Foundation
import Testing

/// What only root may do goes unnoticed where tests run as root. `.ci/test` sees to it that they do not; a bare `swift test`
/// in a container may.
@Suite struct PrivilegeTests {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ROUNDHOUSE_SUITE"] != nil, "only .ci/test gives up root"))
    func `the tests run as an ordinary user`() {
        #expect(getuid() != 0)
        #expect(geteuid() != 0)
    }
}
