extension AsyncStream where Element: Sendable {
    /// Serves each element in a task of its own; returns when the stream has ended and the last of them is served.
    ///
    /// A task group searches all its children for the one that has ended, so thousands are spread over many groups.
    func serveEach(_ serve: @escaping @Sendable (Element) async -> Void) async {
        let lanes = (0..<64).map { _ in AsyncStream.makeStream() }
        await withDiscardingTaskGroup { tasks in
            for lane in lanes {
                tasks.addTask {
                    await withDiscardingTaskGroup { served in
                        for await element in lane.stream { served.addTask { await serve(element) } }
                    }
                }
            }
            var next = 0
            for await element in self {
                lanes[next].continuation.yield(element)
                next = (next + 1) % lanes.count
            }
            for lane in lanes { lane.continuation.finish() }
        }
    }
}
