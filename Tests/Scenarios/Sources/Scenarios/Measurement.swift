@testable import RoundhouseMedia

/// What the controller costs.
enum Measurement {
    static func run() {
        var controller = CongestionController(BitrateLimits(), at: MediaInstant(nanoseconds: 1 << 40))
        var receiver = Receiver(clock: { _ in 0 }, interval: 0.05)
        let clock = ContinuousClock()
        var sending = Duration.zero
        var hearing = Duration.zero
        var feedbacks = 0
        let packets = 1_000_000
        var number = 0
        // A thousand packets a second, of which fifty come in each feedback.
        while number < packets {
            let begin = MediaInstant(nanoseconds: 1 << 40) + .milliseconds(number)
            sending += clock.measure {
                for step in 0..<50 {
                    controller.packetSent(
                        number: UInt16(truncatingIfNeeded: number + step), size: 1_000, kind: .video,
                        at: begin + .milliseconds(step))
                }
            }
            for step in 0..<50 { receiver.packetReceived(number + step, at: Double(number + step) / 1_000 + 0.02) }
            number += 50
            guard let (bytes, at) = receiver.feedback(until: Double(number) / 1_000 + 0.05) else { continue }
            feedbacks += 1
            let now = MediaInstant(nanoseconds: 1 << 40) + .microseconds(Int(at * 1_000_000) + 20_000)
            hearing += clock.measure {
                bytes.withUnsafeBytes { buffer in
                    var reader = RTCPCompoundReader(buffer)
                    guard let packet = try? reader.next(), let feedback = try? TransportWideFeedback(parsing: packet)
                    else { return }
                    controller.feedbackReceived(feedback, at: now)
                }
            }
        }
        var writer = SnapshotWriter()
        controller.write(to: &writer)
        print("packetSent: \(sending / packets), feedback of 50: \(hearing / max(feedbacks, 1))")
        print("inline \(MemoryLayout<CongestionController>.size) bytes, snapshot \(writer.bytes.count) bytes")
        print("estimate \(controller.state.estimate), acknowledged \(controller.state.acknowledged)")
    }
}
