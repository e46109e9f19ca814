import Glibc
import NIOConcurrencyHelpers

/// What a peer's handler does with a job: counts and stamps it in a file that the harness maps, or logs it.
final class Sink: Sendable {
    /// Jobs handled, and the moments of the first and the last, in nanoseconds.
    private struct Marks {
        var count: Int64 = 0
        var first: Int64 = 0
        var last: Int64 = 0
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Memory that is shared with the harness; touched under the lock only.
    private nonisolated(unsafe) let marks: UnsafeMutablePointer<Marks>?
    private let lock = NIOLock()
    private let log: Int32?

    init(counter: String?, log: String?) throws {
        self.marks = try counter.map(Self.map)
        self.log = try log.map { try Self.open($0, O_WRONLY | O_CREAT | O_APPEND) }
    }

    func hit(_ id: Int64) {
        let now = Monotonic.nanoseconds
        if let log {
            let line = Array("\(id) \(now) \(getpid())\n".utf8)
            _ = line.withUnsafeBytes { Glibc.write(log, $0.baseAddress, $0.count) }
        }
        guard let marks else { return }
        self.lock.withLockVoid {
            if marks.pointee.count == 0 { marks.pointee.first = now }
            marks.pointee.count += 1
            marks.pointee.last = now
        }
    }

    /// Shared memory for as long as the process lives: counting costs no system call.
    private static func map(_ path: String) throws -> UnsafeMutablePointer<Marks> {
        let descriptor = try Self.open(path, O_RDWR | O_CREAT | O_TRUNC)
        defer { close(descriptor) }
        let size = MemoryLayout<Marks>.size
        guard ftruncate(descriptor, size) == 0,
            let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw Failed(description: "\(path) cannot be mapped") }
        return memory.bindMemory(to: Marks.self, capacity: 1)
    }

    private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let descriptor = Glibc.open(path, flags, 0o644)
        guard descriptor >= 0 else { throw Failed(description: "\(path) cannot be opened") }
        return descriptor
    }
}
