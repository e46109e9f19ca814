internal import Glibc
internal import NIOConcurrencyHelpers

/// Where log lines go: a file descriptor, normally standard error.
///
/// Whoever logs may be on the small cooperative thread pool, so a reader that has stopped reading must not stop us. A line
/// that finds the pipe full waits a moment; when that is not enough it is dropped and counted, and so are the following
/// ones, without waiting, until there is room again. The next line that gets through is preceded by one that says how
/// many are missing.
public final class LogSink: Sendable {
    /// Linux takes as much as this into a pipe that `poll` calls writable without blocking (pipe(7), PIPE_BUF).
    private static let pieceBytes = 4096
    /// How long one line may wait for room.
    private static let patienceMilliseconds: Int32 = 50

    private struct State {
        var isStalled = false
        var isInsideLine = false
        var dropped = 0
    }

    private let descriptor: Int32
    private let state = NIOLockedValueBox(State())

    /// Standard error.
    public static let standardError = LogSink(descriptor: STDERR_FILENO)
    /// Takes every line and keeps none.
    public static let nowhere = LogSink(descriptor: open("/dev/null", O_WRONLY | O_CLOEXEC))

    /// - Parameter descriptor: open for writing for as long as the sink is used.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Writes a whole line, which ends with a line feed, or drops it whole where that is possible.
    func write(_ line: [UInt8]) {
        self.state.withLockedValue { state in
            if state.dropped > 0, self.write(Self.notice(of: state.dropped), &state) { state.dropped = 0 }
            if state.dropped > 0 || !self.write(line, &state) { state.dropped += 1 }
        }
    }

    private func write(_ line: [UInt8], _ state: inout State) -> Bool {
        // What a stalled line left unfinished must not run into this one.
        var rest = (state.isInsideLine ? [UInt8(ascii: "\n")] : [])[...] + line[...]
        while !rest.isEmpty {
            var wanted = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = poll(&wanted, 1, state.isStalled ? 0 : Self.patienceMilliseconds)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else {
                state.isStalled = true
                return false
            }
            let piece = rest.prefix(Self.pieceBytes)
            let written = piece.withUnsafeBytes { Glibc.write(self.descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR || errno == EAGAIN { continue }
            // Nobody reads any more (EPIPE), or the disk is full: a log must not be a reason to fail.
            guard written > 0 else { return false }
            rest = rest.dropFirst(written)
            state.isInsideLine = !rest.isEmpty
            state.isStalled = false
        }
        return true
    }

    private static func notice(of dropped: Int) -> [UInt8] {
        var text = JSONText()
        text.raw("{")
        text.key("level")
        text.string("warning")
        text.key("message")
        text.string("Log lines were dropped because nobody read them")
        text.key("dropped")
        text.number(dropped)
        text.raw("}")
        text.endLine()
        return text.bytes
    }
}
