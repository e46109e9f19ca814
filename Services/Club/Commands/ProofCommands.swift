import ArgumentParser
import FoundationEssentials
import Kernel
import Ledger

extension LedgerCommand {
    struct Proof: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the proof that a transaction stands in the sealed books.",
            discussion: """
                One JSON document, to keep or to hand on: `club ledger check-proof` checks it without the database. Exits \
                with 1 when the transaction is not what was sealed.
                """)

        @OptionGroup var system: SystemOptions
        @Argument(help: "The transaction.")
        var transaction: LedgerTransaction.ID

        func run() async throws {
            let answer = try await OperatorSession.run(in: self.system.folder) { session in
                try await ProveTransaction(database: session.database)(self.transaction, of: nil)
            }
            switch answer {
            case .proof(let proof): try Output(json: true).result(proof, text: "")
            case .unknown: throw CommandFailure(.usage, "There is no transaction \(self.transaction).")
            case .notSealed:
                throw CommandFailure(.unavailable, "The transaction is not sealed yet: try again in some seconds.")
            case .broken(let sentence): throw CommandFailure(.checkFailed, sentence)
            }
        }
    }

    struct CheckProof: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check-proof",
            abstract: "Check a proof, without any database.",
            discussion: """
                Recomputes the transaction's hash, its path to the block's root, and the block's signature. Exits with 0 \
                when they hold and with 1 when not. A proof brings its own key: --key names the one that you know from \
                elsewhere.
                """)

        @OptionGroup var output: OutputOptions
        @Argument(help: "The JSON file.")
        var file: String
        @Option(help: "The key to trust: its name, or its 64 digits.")
        var key: String?

        /// What a check says, for programs.
        struct Answer: Codable, Equatable {
            let holds: Bool
            let flaws: [TransactionProof.Flaw]
            let transaction: LedgerTransaction.ID
            let block: Int64
            let blockHash: String
            let key: String
        }

        func run() throws {
            guard let bytes = FileManager.default.contents(atPath: self.file) else {
                throw CommandFailure(.noInput, "\(self.file) is missing or cannot be read.")
            }
            guard let proof = try? JSONDecoder().decode(TransactionProof.self, from: bytes) else {
                throw CommandFailure(.dataError, "\(self.file) is no proof.")
            }
            let flaws = proof.flaws(trusting: self.key)
            let answer = Answer(
                holds: flaws.isEmpty, flaws: flaws, transaction: proof.transaction.id, block: proof.block.number,
                blockHash: proof.block.hash.description, key: proof.key.id)
            try self.output.output.result(answer, text: Self.text(proof, flaws, isTrusted: self.key != nil))
            guard flaws.isEmpty else { throw CommandFailure(.checkFailed, "The proof does not hold.") }
        }

        static func text(_ proof: TransactionProof, _ flaws: [TransactionProof.Flaw], isTrusted: Bool) -> String {
            guard flaws.isEmpty else { return flaws.map(\.meaning).joined(separator: "\n") }
            let (entry, block) = (proof.transaction, proof.block)
            let key =
                isTrusted
                ? "which you trust."
                : "which is the proof's own word: compare it with the one that you know, or use --key."
            return """
                The proof holds: transaction \(entry.id) (\(entry.kind), number \(entry.number) of member \(entry.member), \
                recorded at \(entry.recordedAt)) stands in block \(block.number), sealed at \(block.sealedAt).
                The block's hash is \(block.hash).
                It is signed with key \(proof.key.id), \(key)
                """
        }
    }

    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the public keys that blocks were signed with, the oldest first.",
            discussion: "Publish them: whoever checks a proof must know them from elsewhere than from the proof.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let keys = try await OperatorSession.run(in: self.system.folder) { session in
                try await ListSealKeys(database: session.database)()
            }
            try self.output.output.result(
                keys,
                Table(
                    [.text("KEY"), .text("PUBLIC KEY"), .text("SINCE")],
                    rows: keys.map { [$0.key.id, $0.key.publicKey.description, $0.since.description] }))
        }
    }
}
