import FoundationEssentials
import Glibc
import NIOConcurrencyHelpers

/// The wall clock of other processes, which we can step: they are started with the library `clock-step`, which adds what
/// stands in a file of ours. Their clock that only goes on is left alone, as by whoever sets the time of a machine.
final class SteppedClock: Sendable {
    private let file: String
    private let library: String
    private let offset = NIOLockedValueBox(Duration.zero)

    /// - Returns: nil when the library was not built.
    init?(_ name: String, in folder: String) {
        guard let program = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(program) }
        let built =
            String(cString: program).split(separator: "/").dropLast().map { "/\($0)" }.joined()
            + "/libclock-step.so"
        // A copy that the server's account can read.
        (self.file, self.library) = ("\(folder)/\(name).clock", "\(folder)/libclock-step.so")
        guard let bytes = FileManager.default.contents(atPath: built) else { return nil }
        do {
            if !FileManager.default.fileExists(atPath: self.library) {
                try bytes.write(to: URL(filePath: self.library))
            }
            try Data(count: MemoryLayout<Int64>.size).write(to: URL(filePath: self.file))
            chmod(self.library, 0o755)
            chmod(self.file, 0o644)
        } catch {
            return nil
        }
    }

    /// What a process is started with.
    var variables: [String: String] {
        ["LD_PRELOAD": self.library, "CLUB_CHAOS_CLOCK": self.file]
    }

    /// From now on the clock is so far from the machine's.
    func set(to offset: Duration) {
        self.offset.withLockedValue { known in
            known = offset
            var microseconds = Int64(offset / .microseconds(1))
            let descriptor = open(self.file, O_WRONLY)
            guard descriptor >= 0 else { return }
            pwrite(descriptor, &microseconds, MemoryLayout<Int64>.size, 0)
            close(descriptor)
        }
    }

    func remove() {
        unlink(self.file)
    }
}
