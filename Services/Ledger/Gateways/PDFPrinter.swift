internal import FoundationEssentials
internal import Subprocess
internal import SystemPackage

/// Makes a PDF of SVG pages by `rsvg-convert` of librsvg, a process of its own: a page that kills it kills nobody else.
public struct PDFPrinter: Sendable {
    /// Why there is no PDF.
    public enum Failure: Error, Equatable {
        /// The program is not installed: the package librsvg2-bin has it.
        case notInstalled
        /// It failed, with its last words.
        case failed(String)
    }

    private let program: String
    /// Bytes that a statement may have as PDF; twenty thousand lines have a tenth of it.
    private static let limit = 64 << 20

    /// - Parameter program: a name that is looked up in PATH, or a path.
    public init(program: String = "rsvg-convert") {
        self.program = program
    }

    /// One PDF of the pages, in their order.
    /// - Throws: ``Failure``
    public func callAsFunction(_ pages: [String]) async throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "club-pdf-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = pages.indices.map { "\(folder)/\($0).svg" }
        for (file, page) in zip(files, pages) {
            guard FileManager.default.createFile(atPath: file, contents: Data(page.utf8)) else {
                throw Failure.failed("\(file) cannot be written")
            }
        }
        return try await self.convert(files)
    }

    private func convert(_ files: [String]) async throws -> [UInt8] {
        let executable: Executable =
            self.program.contains("/") ? .path(FilePath(self.program)) : .name(self.program)
        do {
            let result = try await Subprocess.run(
                executable, arguments: Arguments(["--format=pdf"] + files), input: .none,
                output: .bytes(limit: Self.limit), error: .string(limit: 1 << 16))
            guard result.terminationStatus.isSuccess, !result.standardOutput.isEmpty else {
                throw Failure.failed(result.standardError)
            }
            return result.standardOutput
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw Failure.notInstalled
        }
    }
}
