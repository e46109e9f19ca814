extension Sequence where Element: Sendable {
    /// Runs the body for every element, at most `width` at a time, and stops at the first error.
    func forEachConcurrently(
        width: Int, _ body: @escaping @Sendable @concurrent (Element) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for element in self {
                if running == width {
                    try await group.next()
                    running -= 1
                }
                group.addTask { try await body(element) }
                running += 1
            }
            try await group.waitForAll()
        }
    }
}
