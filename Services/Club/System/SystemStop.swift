import EmbeddedPostgres

/// Ends what runs in a folder: the process that looks after the services, services that it left behind, the database.
struct SystemStop: Sendable {
    let folder: SystemFolder

    /// Longer than a service's own time for finishing, so that a stop is an orderly one.
    private static let patience = Duration.seconds(40)

    /// - Returns: whether anything ran.
    func callAsFunction() async throws -> Bool {
        var isAnything = false
        if let state = self.folder.loadState() {
            isAnything = state.supervisor.isAlive
            try await state.supervisor.stop(patience: Self.patience)
            // A supervisor that was killed could not take its services along.
            for process in Set(state.services.compactMap(\.process)) where process.isAlive {
                isAnything = true
                try await process.stop(patience: Self.patience)
            }
        }
        if let postgres = try await EmbeddedPostgres.running(in: self.folder.path) {
            isAnything = true
            try await postgres.stop(.fast)
        }
        self.folder.removeState()
        return isAnything
    }
}
