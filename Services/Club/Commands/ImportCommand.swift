import ArgumentParser
import FoundationEssentials
import Promotions

/// `club import …`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Fill the directory of stores and the catalogue from files.",
        discussion: "Running an import again changes nothing, and says so.",
        subcommands: [Stores.self, Catalogue.self])

    /// What an import did, for programs.
    struct Answer: Encodable, Equatable {
        var written: Int
        var unchanged: Int

        init(_ outcome: ImportOutcome) {
            self.written = outcome.written
            self.unchanged = outcome.unchanged
        }

        var text: String { "\(self.written) written, \(self.unchanged) unchanged" }
    }

    /// Reads a JSON file.
    static func read<File: Decodable>(_ path: String, as type: File.Type) throws -> File {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.noInput, "\(path) is missing or cannot be read.")
        }
        do {
            return try JSONDecoder().decode(type, from: bytes)
        } catch {
            throw CommandFailure(.dataError, "\(path) is not the JSON that is expected: see `club import --help`.")
        }
    }
}

extension ImportCommand {
    struct Stores: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a directory of stores.",
            discussion: """
                The file is {"content": {"items": [{"id", "location": {"coordinates": [longitude, latitude]}, \
                "features": [{"key", "title"}], "title", "city", "address"}]}}; all but the id may be missing, and a \
                position of 0, 0 is one that nobody knows.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The JSON file.")
        var file: String

        func run() async throws {
            let records = try ImportCommand.read(self.file, as: StoresFile.self).records()
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
                A tree is {"content": {"items": [{"category": {"slug", "title"}, "children": [...]}]}}; products are \
                {"content": {"items": [{"products": [{"title", "masterData": {"plu", "unitName"}, "primaryCategory": \
                {"slug", "title"}, "priceTag": {"price", "grossPrice"}}]}]}}, prices in kopecks.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The JSON file.")
        var file: String

        private struct Answers: Encodable {
            let categories: Answer
            let products: Answer
        }

        func run() async throws {
            let file = try ImportCommand.read(self.file, as: CatalogueFile.self)
            let products = try file.products()
            let answers = try await OperatorSession.run(in: self.system.folder) { session in
                let catalogue = ImportCatalogue(database: session.database)
                return Answers(
                    categories: Answer(try await catalogue(file.categories)),
                    products: Answer(try await catalogue(products, on: file.shelves)))
            }
            try self.output.output.result(
                answers, text: "categories: \(answers.categories.text)\nproducts: \(answers.products.text)")
        }
    }
}
