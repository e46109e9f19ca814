import Glibc

/// A log that grows no further than its limit: a full one is moved to `<name>.1`, in the place of the one before.
///
/// Those who write to it are other processes as well (services of their own, PostgreSQL), with descriptors that nobody
/// can take from them. So the file stays the one it is: it is copied, then cut to nothing, and the writers, who all append,
/// go on at its beginning. What is written between the last look for new lines and the cut, two system calls, is lost.
///
/// A process killed in the middle leaves both files whole: the copy gets its name when it is complete, and the log is cut
/// after that. What it had copied is then copied once more.
struct LogFile: Sendable {
    let path: String
    /// Bytes above which the log is full; also how much of it is kept.
    let limit: Int

    init(_ path: String, limit: Int = 4 << 20) {
        self.path = path
        self.limit = limit
    }

    /// What was in the log before.
    var earlier: String { "\(self.path).1" }
    private var draft: String { "\(self.path).1.new" }

    /// Moves a full log out of the way.
    ///
    /// A log must not fill the disk: where it cannot be copied, it is cut all the same.
    /// - Returns: whether it was full.
    @discardableResult
    func rotateIfFull() -> Bool {
        let log = open(self.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard log >= 0 else { return false }
        defer { close(log) }
        let size = Int(lseek(log, 0, SEEK_END))
        guard size > self.limit else { return false }
        let copy = open(self.draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if copy >= 0 {
            defer { close(copy) }
            let start = Self.lineStart(in: log, from: size - self.limit)
            if let end = Self.copy(log, from: start, to: copy), rename(self.draft, self.earlier) == 0 {
                // Lines that came meanwhile. They fail to be copied on a full disk only.
                _ = Self.copy(log, from: end, to: copy)
            } else {
                unlink(self.draft)
            }
        }
        return ftruncate(log, 0) == 0
    }

    /// Copies what lies behind a position, until there is no more.
    /// - Returns: the position behind it; nil when it could not be written.
    private static func copy(_ log: Int32, from start: Int, to copy: Int32) -> Int? {
        var position = start
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(log, $0.baseAddress, $0.count, off_t(position)) }
            guard count > 0 else { return count == 0 ? position : nil }
            guard buffer.withUnsafeBytes({ write(copy, $0.baseAddress, count) }) == count else { return nil }
            position += count
        }
    }

    /// Where the next line begins, so that a log of which only the end is kept does not begin with half of one.
    private static func lineStart(in log: Int32, from position: Int) -> Int {
        guard position > 0 else { return 0 }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = buffer.withUnsafeMutableBytes { pread(log, $0.baseAddress, $0.count, off_t(position - 1)) }
        let end = buffer.prefix(max(0, count)).firstIndex(of: UInt8(ascii: "\n"))
        return end.map { position + $0 } ?? position
    }
}

/// Keeps logs within bounds.
struct LogKeeper: Sendable {
    let logs: [LogFile]

    private static let interval = Duration.seconds(1)

    /// Until the task is cancelled.
    func run() async {
        repeat {
            for log in self.logs { log.rotateIfFull() }
        } while (try? await Task.sleep(for: Self.interval)) != nil
    }
}
