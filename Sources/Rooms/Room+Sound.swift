import Media

extension Room {
    /// How often time is told to the observers of sound while there is any; reports come more often.
    private static let soundTick = Duration.milliseconds(400)

    func soundReceived(_ reports: [AudioLevelReport]) {
        soundHeardAt = .now
        perform(state.soundReceived(reports))
        guard state.sound.isListening, !isListening else { return }
        isListening = true
        Task { [weak self] in
            repeat { try? await Task.sleep(for: Self.soundTick) } while await self?.soundTimePassed() == true
        }
    }

    /// - Returns: whether there is still anything to listen to.
    private func soundTimePassed() -> Bool {
        if let heardAt = state.sound.heardAt {
            // The media plane's clock is not read here: it has gone on by as much as any other.
            let elapsed = (ContinuousClock.now - soundHeardAt).components
            let nanoseconds = elapsed.seconds &* 1_000_000_000 &+ elapsed.attoseconds / 1_000_000_000
            perform(state.soundTimePassed(heardAt + MediaDuration(nanoseconds: max(nanoseconds, 0))))
            publishEvents()
        }
        isListening = state.sound.isListening && !state.isClosed
        return isListening
    }
}
