import RoundhouseMedia

extension Room {
    /// How often the audio observers check the time while there is any sound; reports come more often.
    private static let audioTick = Duration.milliseconds(400)

    func audioLevelsReceived(_ reports: [AudioLevelReport]) {
        audioHeardAt = .now
        perform(state.audioLevelsReceived(reports))
        guard state.audio.isListening, !isListening else { return }
        isListening = true
        Task { [weak self] in
            repeat { try? await Task.sleep(for: Self.audioTick) } while await self?.audioTimePassed() == true
        }
    }

    /// - Returns: whether there is still anything to listen to.
    private func audioTimePassed() -> Bool {
        if let heardAt = state.audio.heardAt {
            // The media plane's clock is not read here: it has gone on by as much as any other.
            let elapsed = (ContinuousClock.now - audioHeardAt).components
            let nanoseconds = elapsed.seconds &* 1_000_000_000 &+ elapsed.attoseconds / 1_000_000_000
            perform(state.audioTimePassed(heardAt + MediaDuration(nanoseconds: max(nanoseconds, 0))))
            publishEvents()
        }
        isListening = state.audio.isListening && !state.isClosed
        return isListening
    }
}
