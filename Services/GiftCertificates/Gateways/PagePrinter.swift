import FoundationEssentials
import Subprocess
import SystemPackage

/// Makes a PDF of an SVG page by `rsvg-convert` of librsvg, a process of its own: a page that kills it kills nobody
/// else.
struct PagePrinter: Sendable {
    /// Why there is no PDF.
    enum Failure: Error, Equatable {
        /// The program is not installed: the package librsvg2-bin has it.
        case notInstalled
        /// It failed, with its last words.
        case failed(String)
    }

    private let program: String
    /// Bytes that a page may have as PDF; one with a photo has a tenth of it.
    private static let limit = 16 << 20

    /// - Parameter program: a name that is looked up in PATH, or a path.
    init(program: String = "rsvg-convert") { self.program = program }

    /// The page as PDF. It goes in through a pipe: what is on it is money, and lies in no file.
    /// - Throws: ``Failure``
    func callAsFunction(_ page: String) async throws -> [UInt8] {
        let executable: Executable =
            self.program.contains("/") ? .path(FilePath(self.program)) : .name(self.program)
        do {
            let result = try await Subprocess.run(
                executable, arguments: ["--format=pdf"], input: .string(page), output: .bytes(limit: Self.limit),
                error: .string(limit: 1 << 16))
            guard result.terminationStatus.isSuccess, !result.standardOutput.isEmpty else {
                throw Failure.failed(result.standardError)
            }
            return result.standardOutput
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw Failure.notInstalled
        }
    }
}
