import FoundationEssentials
import RoundhouseMedia

/// What the machine gives a server, whatever its settings.
enum HostExamination {
    static func findings() -> [Finding] {
        var findings = [kernel()]
        do throws(MediaError) {
            findings += media(try MediaEnvironment.examine())
        } catch {
            findings.append(.failure("sockets", "no UDP socket can be opened: \(error.message)"))
        }
        return findings
    }

    private static func kernel() -> Finding {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return .ok("system", "Linux \(version.majorVersion).\(version.minorVersion).\(version.patchVersion)")
    }

    /// Tokens and certificates are judged by the clock.
    private static func clock(_ isKeptRight: Bool?) -> Finding {
        switch isKeptRight {
        case true?: .ok("clock", "kept right by the network")
        case nil: .ok("clock", "as the host has it: this sandbox does not say whether something keeps it right")
        case false?:
            .warning(
                "clock",
                "nothing keeps it right, so tokens and certificates may be misjudged: run chrony or systemd-timesyncd")
        }
    }

    private static func encryption() -> Finding {
        switch MediaEnvironment.encryption {
        case .accelerated: .ok("encryption", "by intel-ipsec-mb")
        case .usual:
            .ok(
                "encryption",
                "by libcrypto; with intel-ipsec-mb (package libipsec-mb1, x86 only) it takes half the time")
        case .insteadOfFaulty:
            .warning(
                "encryption",
                "by libcrypto: libIPSec_MB.so.1 gives wrong answers and is not used; where does it come from?")
        }
    }

    private static func media(_ environment: MediaEnvironment) -> [Finding] {
        var findings = [clock(environment.isClockKeptRight)]
        let processors = environment.processors
        findings.append(.ok("processors", "\(processors), and as many media threads unless --shards says otherwise"))
        findings.append(
            environment.sendsInSegments
                ? .ok("sending", "many datagrams in one call (UDP_SEGMENT)")
                : .warning(
                    "sending",
                    "the kernel lacks UDP_SEGMENT (before Linux 4.18): sending takes up to three times the CPU"))
        findings.append(
            environment.waitsInNanoseconds
                ? .ok("waiting", "as short as need be (epoll_pwait2)")
                : .warning(
                    "waiting",
                    "in whole milliseconds: the kernel lacks epoll_pwait2 (before Linux 5.11), or a sandbox refuses it")
        )
        findings.append(encryption())
        let (given, wanted) = (environment.receiveBufferBytes, MediaEnvironment.wantedBufferBytes)
        findings.append(
            given >= wanted
                ? .ok("buffers", "\(given / 1024) KiB for each media socket")
                : .warning(
                    "buffers",
                    "\(given / 1024) KiB for each media socket: packets of a busy moment are lost. "
                        + "sysctl -w net.core.rmem_max=\(wanted) net.core.wmem_max=\(wanted)"))
        return findings
    }
}
