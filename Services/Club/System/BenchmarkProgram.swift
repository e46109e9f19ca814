import FoundationEssentials
import Glibc

/// The program that measures. It is built from the tests, so `club` does not contain it: it becomes it.
struct BenchmarkProgram: Sendable {
    let path: String

    /// Where a build puts it: in the folder of this program.
    static var besideThisOne: BenchmarkProgram {
        get throws {
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let folder = own.lastIndex(of: "/").map { own[..<$0] } ?? "."
            return BenchmarkProgram(path: folder + "/benchmarks")
        }
    }

    /// Runs it instead of this program, which ends with its exit code.
    /// - Throws: ``CommandFailure`` (69) when it has not been built.
    func replaceThisOne(arguments: [String]) throws {
        let words = ([self.path] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        execv(self.path, words + [nil])
        let reason = String(cString: strerror(errno))
        throw CommandFailure(
            .unavailable,
            "The measurements cannot be started: \(self.path): \(reason). deploy/bench builds and runs them; "
                + "`swift build -c release --product benchmarks` only builds them.")
    }
}
