/// Lets only so many in at a time; the others wait in the order they came.
actor Gate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(width: Int) {
        self.free = width
    }

    /// Runs the body when there is room, where the caller runs.
    nonisolated(nonsending) func pass<R>(_ body: () async throws -> R) async throws -> R {
        await self.enter()
        let result: Result<R, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await self.leave()
        return try result.get()
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
