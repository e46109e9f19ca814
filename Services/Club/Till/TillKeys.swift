import Auth
import JobQueue
import Kernel

/// The tills' keys that the club's own commands use.
struct TillKeys: Sendable {
    let session: OperatorSession
    let bus: Bus

    func issue(scopes: [TillKeyCommand.Scope], store: StoreID?, label: String) async throws -> IssueTillKey.Issued {
        let issue = IssueTillKey(
            database: self.session.database, bus: self.bus, clock: SystemClock(), random: .system)
        do {
            return try await issue(store: store, scopes: scopes.map(\.rawValue), label: label)
        } catch let invalid as TillKeyInvalid {
            throw CommandFailure(.usage, "The key's \(invalid) are not accepted.")
        }
    }

    /// The key kept in the system's folder under that name, issued when there is none.
    func kept(as name: String, scopes: [TillKeyCommand.Scope], label: String) async throws -> Secret {
        let secrets = SystemSecrets(self.session.folder)
        if let key = secrets.read(name) { return key }
        let issued = try await self.issue(scopes: scopes, store: nil, label: label)
        try secrets.write(issued.key, to: name)
        return issued.key
    }

    /// The key that receipts of the past are posted with.
    func importKey() async throws -> Secret {
        try await self.kept(as: "import.key", scopes: [.receipts, .import], label: "club")
    }
}
