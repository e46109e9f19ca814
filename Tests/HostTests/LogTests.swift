import FoundationEssentials
import Glibc
import Kernel
import Logging
import TestSupport
import Testing

@testable import Telemetry

@Suite struct LogTests {
    private static let moment = Timestamp(secondsSince1970: 1_772_435_400)

    /// What a logger writes into a pipe that the test reads afterwards.
    private func lines(_ body: (Logger) -> Void) throws -> [String] {
        let pipe = try Pipe()
        let sink = LogSink(descriptor: pipe.writeEnd)
        body(
            Logger(label: "club.test") { label in
                JSONLogHandler(label: label, level: .debug, sink: sink, clock: ManualClock(Self.moment))
            })
        return pipe.closeAndRead().split(separator: "\n").map(String.init)
    }

    @Test func `a line is one JSON object with time, level, logger, message and metadata`() throws {
        let lines = try self.lines { logger in
            logger.info("Listening", metadata: ["port": "8080", "hosts": ["a", "b"], "more": ["deep": "yes"]])
        }
        let moment = Self.moment.description
        #expect(
            lines == [
                #"{"time":"\#(moment)","level":"info","logger":"club.test","message":"Listening","#
                    + #""metadata":{"hosts":["a","b"],"more":{"deep":"yes"},"port":"8080"}}"#
            ])
    }

    @Test(arguments: ["\"", "\\", "\n", "\r\n", "\t", "\u{0}", "\u{1b}[31m", "\u{7f}", "{}", "привет", "👍", "\u{2028}"])
    func `no value can break out of its line`(value: String) throws {
        struct Line: Decodable, Equatable {
            var message: String
            var metadata: [String: String]
        }
        let lines = try self.lines { $0.info("\(value)", metadata: [value: "\(value)"]) }
        try #require(lines.count == 1)
        let line = try JSONDecoder().decode(Line.self, from: Data(lines[0].utf8))
        #expect(line == Line(message: value, metadata: [value: value]))
    }

    @Test func `the trace of the present task is on the line`() throws {
        let trace = TraceContext.root(random: .seeded())
        let lines = try TraceContext.$current.withValue(trace) { try self.lines { $0.info("Traced") } }
        #expect(lines[0].contains(#""trace":"\#(trace.traceIDText)""#))
    }

    @Test func `what is below the level is left out`() throws {
        #expect(try self.lines { $0.trace("Too much") }.isEmpty)
    }

    @Test func `a reader that stands still stops nobody, and is later told how much it missed`() throws {
        let pipe = try Pipe()
        let sink = LogSink(descriptor: pipe.writeEnd)
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000) + [UInt8(ascii: "\n")]
        // A pipe holds 64 KiB: without dropping, the second of these would block for ever.
        for _ in 0..<20 { sink.write(long) }
        pipe.drain()
        sink.write(Array("last\n".utf8))
        let lines = pipe.closeAndRead().split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.contains(#""message":"Log lines were dropped because nobody read them""#) })
        #expect(lines.last == "last")
    }

    @Test func `a closed reader is no reason to fail`() throws {
        let pipe = try Pipe()
        pipe.closeReadEnd()
        signal(SIGPIPE, SIG_IGN)
        LogSink(descriptor: pipe.writeEnd).write(Array("lost\n".utf8))
    }
}

/// A pipe whose reader the test is.
private final class Pipe {
    let writeEnd: Int32
    private var readEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (self.readEnd, self.writeEnd) = (ends[0], ends[1])
    }

    /// Takes out what is in it now.
    func drain() {
        let flags = fcntl(self.readEnd, F_GETFL)
        _ = fcntl(self.readEnd, F_SETFL, flags | O_NONBLOCK)
        _ = self.readAll()
        _ = fcntl(self.readEnd, F_SETFL, flags)
    }

    func closeReadEnd() {
        close(self.readEnd)
        self.readEnd = -1
    }

    func closeAndRead() -> String {
        close(self.writeEnd)
        return String(decoding: self.readAll(), as: UTF8.self)
    }

    private func readAll() -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(self.readEnd, &buffer, buffer.count), count > 0 { all += buffer.prefix(count) }
        return all
    }
}
