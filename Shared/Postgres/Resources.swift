internal import Glibc

/// Finds what SwiftPM copies beside the executable, without Foundation's `Bundle`.
public enum ResourceFolder {
    /// The folder of a target's resources: `club_Ledger` → `<folder of the executable>/club_Ledger.resources`. For
    /// tests this is the folder of the test bundle.
    /// - Throws: `DatabaseError` (`system-call-failed`) when the system does not say where the executable is.
    public static func named(_ name: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? -1
        }
        guard count > 0 else { throw DatabaseError(systemCall: "readlink", errno: errno) }
        let executable = String(decoding: buffer.prefix(count), as: UTF8.self)
        let folder = executable.lastIndex(of: "/").map { executable[..<$0] } ?? "."
        return "\(folder)/\(name).resources"
    }
}
