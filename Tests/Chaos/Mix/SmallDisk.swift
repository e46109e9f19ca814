import FoundationEssentials
import Glibc

/// A file system of its own for the server, which can be filled up. Root only: a tmpfs in a mount namespace that belongs to
/// this process and its children, so that nothing of it is left, however they end.
struct SmallDisk: Sendable {
    private static let mark = "CLUB_CHAOS_MOUNTS"

    let folder: String

    /// Begins this program anew in a namespace of its own; returns when that is not possible, or done already.
    static func moveIntoNamespace() {
        guard geteuid() == 0, getenv(Self.mark) == nil,
            Program.run("unshare", "--mount", "--propagation", "private", "true")
        else { return }
        setenv(Self.mark, "1", 1)
        let words = ["unshare", "--mount", "--propagation", "private", "--", "/proc/self/exe"]
        guard let program = realpath("/proc/self/exe", nil) else { return }
        let arguments = words.dropLast() + [String(cString: program)] + CommandLine.arguments.dropFirst()
        execvp("unshare", arguments.map { strdup($0) } + [nil])
        unsetenv(Self.mark)
    }

    /// Mounts it over the folder; nil when we may not, or when there is not twice as much memory.
    init?(over folder: String, megabytes: Int) {
        guard getenv(Self.mark) != nil, Self.freeMemory > 2 * megabytes,
            Program.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=755", "club-chaos", folder)
        else { return nil }
        self.folder = folder
    }

    private static var freeMemory: Int {
        let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) / 1024
    }

    private var ballast: String { "\(self.folder)/ballast" }

    /// Takes all the room that is left.
    func fill() {
        let descriptor = open(self.ballast, O_WRONLY | O_CREAT, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // By the page in the end: what somebody else frees meanwhile is his.
        var (size, step) = (off_t(0), off_t(64 << 20))
        while step >= 4096 {
            if posix_fallocate(descriptor, size, step) == 0 { size += step } else { step /= 4 }
        }
    }

    func free() {
        unlink(self.ballast)
    }

    func unmount() {
        _ = Program.run("umount", "--lazy", self.folder)
    }
}
