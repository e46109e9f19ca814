/// Lets only so many in at a time; the others wait in the order they came.
actor Gate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(width: Int) {
        self.free = width
    }

    /// Runs the body when there is room.
    func pass<R: Sendable>(_ body: @concurrent @Sendable () async throws -> R) async rethrows -> R {
        await self.enter()
        defer { self.leave() }
        return try await body()
    }

    private func enter() async {
        guard self.free == 0 else {
            self.free -= 1
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    private func leave() {
        if self.waiting.isEmpty {
            self.free += 1
        } else {
            // The place goes to the next one directly.
            self.waiting.removeFirst().resume()
        }
    }
}
