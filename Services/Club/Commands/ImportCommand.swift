import ArgumentParser
import FoundationEssentials
import Promotions

/// `club import …`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Fill the directory of stores and the catalogue from files.",
        discussion: """
            The files are JSON in the shapes of the real chain's public catalogue interface. Running an import again \
            changes nothing, and says so.
            """,
        subcommands: [Stores.self, Catalogue.self])

    /// What an import did, for programs.
    struct Answer: Encodable, Equatable {
        let written: Int
        let unchanged: Int

        init(_ outcome: ImportOutcome) {
            self.written = outcome.written
            self.unchanged = outcome.unchanged
        }

        var text: String { "\(self.written) written, \(self.unchanged) unchanged" }
    }

    /// The bytes of a file.
    static func read(_ path: String) throws -> Data {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.noInput, "\(path) is missing or cannot be read.")
        }
        return bytes
    }
}

extension ImportCommand {
    struct Stores: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a directory of stores.",
            discussion: """
                The file is {"content": {"items": [...]}}, each item with an id, a GeoJSON location and features. A \
                position of 0, 0 is one that nobody knows.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The JSON file.")
        var file: String

        func run() async throws {
            let bytes = try ImportCommand.read(self.file)
            guard let records = try? PerekrestokFiles.stores(bytes) else {
                throw CommandFailure(.dataError, "\(self.file) is no directory of stores.")
            }
            let outcome = try await OperatorSession.run(in: self.system.folder) { session in
                try await ImportStores(database: session.database)(records)
            }
            let answer = Answer(outcome)
            try self.output.output.result(answer, text: "stores: \(answer.text)")
        }
    }

    struct Catalogue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a tree of categories, or products.",
            discussion: """
                The file is {"content": {"items": [...]}}: a tree when its items have a category and children, products \
                when they have products, with prices in kopecks.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The JSON file.")
        var file: String

        private struct Answers: Encodable {
            let categories: Answer?
            let products: Answer?
        }

        func run() async throws {
            let bytes = try ImportCommand.read(self.file)
            let answers = try await OperatorSession.run(in: self.system.folder) { session in
                let catalogue = ImportCatalogue(database: session.database)
                if let tree = try? PerekrestokFiles.categories(bytes) {
                    return Answers(categories: Answer(try await catalogue(tree)), products: nil)
                }
                guard let (products, shelves) = try? PerekrestokFiles.products(bytes) else {
                    throw CommandFailure(.dataError, "\(self.file) is neither a tree of categories nor products.")
                }
                return Answers(categories: nil, products: Answer(try await catalogue(products, on: shelves)))
            }
            let lines = [
                answers.categories.map { "categories: \($0.text)" }, answers.products.map { "products: \($0.text)" },
            ]
            try self.output.output.result(answers, text: lines.compactMap { $0 }.joined(separator: "\n"))
        }
    }
}
