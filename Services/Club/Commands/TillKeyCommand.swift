import ArgumentParser
import Auth
import Kernel

/// `club till-key …`
struct TillKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "till-key", abstract: "Issue and revoke the API keys of tills.",
        subcommands: [Issue.self, Rotate.self, Revoke.self])

    /// What a till's key may be for, with what each means.
    enum Scope: String, CaseIterable, ExpressibleByArgument {
        case receipts
        case spend
        case `import`
        case certificates
        case signed

        var defaultValueDescription: String { self.rawValue }
    }
}

extension TillKeyCommand {
    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a key and print it, once.",
            discussion: """
                Scopes: receipts (receipts, quotes, batches), spend (paying with points), import (receipts older than 30 \
                days), certificates (redeeming gift certificates), signed (only requests that are signed with the key). \
                Tills send the key as `Authorization: Bearer KEY`, or sign with it. Only its hash is kept.
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

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a key a successor with the same rights and print it, once.",
            discussion: "Both are good for a while; then the old one is revoked by itself.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The key's id.")
        var id: String
        @Option(help: ArgumentHelp("How long both are good, 0 to 30.", valueName: "days"))
        var overlap = 7

        private struct Answer: Encodable {
            let id: String
            let key: String
        }

        func validate() throws {
            guard 0...30 ~= self.overlap else { throw ValidationError("--overlap is 0 to 30.") }
        }

        func run() async throws {
            let issued = try await OperatorSession.run(in: self.system.folder) { session in
                try await BusSession.run(session) { bus in
                    let rotate = RotateTillKey(
                        database: session.database, bus: bus, clock: SystemClock(), random: .system)
                    return try await rotate(self.id, overlap: .seconds(self.overlap * 86_400))
                }
            }
            guard let issued else {
                throw CommandFailure(.checkFailed, "No such key is in use, or it has a successor already.")
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
