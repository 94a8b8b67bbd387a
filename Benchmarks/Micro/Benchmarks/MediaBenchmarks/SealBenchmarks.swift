import Benchmark

@testable import RoundhouseMedia

func sealBenchmarks() {
    for profile in [SRTPProfile.aeadAES128GCM, .aes128CMHMACSHA1x80] {
        for payload in [120, 1100] { seal(profile, payload: payload) }
    }
}

/// A hundred receivers with their own keys in turn, as fan-out does it: their keys compete for the caches.
private func seal(_ profile: SRTPProfile, payload: Int) {
    Benchmark("seal: \(profile.rawValue), \(payload) bytes, 100 receivers") { benchmark in
        let sealers = UnsafeMutablePointer<SRTPSender>.allocate(capacity: 100)
        for receiver in 0..<100 {
            let byte = UInt8(receiver)
            let master = SRTPMasterKey(
                key: Array(repeating: byte, count: profile.keyLength),
                salt: Array(repeating: byte, count: profile.saltLength))
            guard let sealer = try? SRTPSender(profile: profile, master: master) else { fatalError("the key fits") }
            (sealers + receiver).initialize(to: sealer)
        }
        let arena = UnsafeMutableRawPointer.allocate(byteCount: 100 * 1500, alignment: 64)
        arena.initializeMemory(as: UInt8.self, repeating: 0x80, count: 100 * 1500)
        let source = [UInt8](repeating: 0x55, count: payload)
        source.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            benchmark.startMeasurement()
            for number in benchmark.scaledIterations {
                blackHole(
                    sealers[number % 100].sealRTP(
                        arena + number % 100 * 1500, headerLength: 12, payload: start, payloadLength: payload,
                        ssrc: UInt32(truncatingIfNeeded: number % 100), index: UInt64(number / 100)))
            }
            benchmark.stopMeasurement()
        }
        arena.deallocate()
        sealers.deinitialize(count: 100)
        sealers.deallocate()
    }
}
