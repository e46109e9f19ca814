internal import FoundationEssentials
public import Kernel

/// The migrations of one service: a folder of files `NNNN_name.sql`, numbered from 0001 without a gap.
///
/// A file is immutable once it has been applied anywhere. It runs in a transaction together with its record; with
/// `-- no-transaction` as its first line it runs outside of one, holds a single statement (PostgreSQL makes one
/// transaction of several) and must be safe to run again, because its record is written after it.
///
/// Beside it there may be a folder `Functions`: files that define the functions of the schema as they are now. They run
/// as a whole, in the order of their names, in the transaction of the last pending migration, or in one of their own when
/// only they have changed. They can be run again and again: the first file drops what the last run has made.
public struct MigrationSet: Sendable {
    public let service: ServiceName
    public let directory: String

    public init(service: ServiceName, directory: String) {
        self.service = service
        self.directory = directory
    }

    /// The folder `Migrations` among the resources of one of our targets, for example "Ledger". That it cannot be found
    /// shows when the files are read.
    public init(service: ServiceName, target: String) {
        let resources = (try? ResourceFolder.named("club_\(target)")) ?? "club_\(target).resources"
        self.init(service: service, directory: "\(resources)/Migrations")
    }

    struct File: Sendable {
        let number: Int
        let name: String
        let text: String

        var fileName: String { self.name + ".sql" }
        var isTransactional: Bool { !self.text.hasPrefix("-- no-transaction") }
    }

    /// Reads the folder. Blocks for as long as the disk takes: for the start of a process and for commands.
    /// - Throws: `DatabaseError` (`migration-failed`) that names what is wrong with which file.
    func files() throws -> [File] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: self.directory) else {
            throw self.failure("the folder \(self.directory) cannot be read")
        }
        let files = try names.filter { $0.hasSuffix(".sql") }.map(self.file).sorted { $0.number < $1.number }
        for (expected, file) in zip(1..., files) where file.number != expected {
            throw self.failure("\(file.fileName) should have the number \(expected)")
        }
        return files
    }

    private func file(_ fileName: String) throws -> File {
        let name = String(fileName.dropLast(".sql".count))
        let digits = name.prefix { $0 != "_" }
        guard digits.utf8.count == 4, let number = Int(digits), number > 0, name.utf8.count > 5 else {
            throw self.failure("\(fileName) is not named NNNN_name.sql")
        }
        guard let data = FileManager.default.contents(atPath: self.directory + "/" + fileName),
            let text = String(validating: data, as: UTF8.self)
        else {
            throw self.failure("\(fileName) cannot be read as UTF-8")
        }
        return File(number: number, name: name, text: text)
    }

    /// The files of the folder `Functions`, in order; none when there is no such folder.
    func functions() throws -> [File] {
        let folder =
            self.directory.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/") + "/Functions"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [] }
        return try names.filter { $0.hasSuffix(".sql") }.sorted().map { name in
            guard let data = FileManager.default.contents(atPath: folder + "/" + name),
                let text = String(validating: data, as: UTF8.self)
            else {
                throw self.failure("\(name) cannot be read as UTF-8")
            }
            return File(number: 0, name: String(name.dropLast(".sql".count)), text: text)
        }
    }

    func failure(_ reason: String) -> DatabaseError {
        DatabaseError(.migrationFailed, context: "\(self.service.text): \(reason)")
    }
}
