import ArgumentParser
import Auth
import Kernel

/// `club till-key …`
struct TillKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "till-key", abstract: "Issue and revoke the API keys of tills.",
        subcommands: [Issue.self, Revoke.self])

    /// What a till's key may be for, with what each means.
    enum Scope: String, CaseIterable, ExpressibleByArgument {
        case receipts
        case spend
        case `import`

        var defaultValueDescription: String { self.rawValue }
    }
}

extension TillKeyCommand {
    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a key and print it, once.",
            discussion: """
                Scopes: receipts (receipts, quotes, batches), spend (paying with points), import (receipts older than 30 \
                days). Tills send the key as `Authorization: Bearer KEY`. Only its hash is kept.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Option(name: .customLong("scope"), help: "What the key may be used for; may be repeated.")
        var scopes: [Scope] = [.receipts]
        @Option(help: "The only store that the key speaks for; else any.")
        var store: String?
        @Option(help: "What people call it.")
        var label = "till"

        private struct Answer: Encodable {
            let id: String
            let key: String
        }

        func validate() throws {
            if let store, StoreID(store) == nil { throw ValidationError("--store: \(StoreID.requirement).") }
        }

        func run() async throws {
            let issued = try await OperatorSession.run(in: self.system.folder) { session in
                try await BusSession.run(session) { bus in
                    try await TillKeys(session: session, bus: bus).issue(
                        scopes: self.scopes, store: self.store.flatMap { StoreID($0) }, label: self.label)
                }
            }
            try self.output.output.result(Answer(id: issued.id, key: issued.key.text), text: issued.key.text)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a key out of use for good.",
            discussion: "The id is what stands between the underscores of ck_<id>_<secret>.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The key's id.")
        var id: String

        private struct Answer: Encodable {
            let revoked: Bool
        }

        func run() async throws {
            let isRevoked = try await OperatorSession.run(in: self.system.folder) { session in
                try await BusSession.run(session) { bus in
                    try await RevokeTillKey(database: session.database, bus: bus, clock: SystemClock())(self.id)
                }
            }
            try self.output.output.result(
                Answer(revoked: isRevoked), text: isRevoked ? "Revoked." : "No such key is in use.")
        }
    }
}
