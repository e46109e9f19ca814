import Foundation
import Testing

@testable import Club

@Suite struct LogFileTests {
    /// A log of up to 100 bytes, and a writer that appends to it as the services do.
    private func withLog(_ body: (LogFile, FileHandle) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "/club-log-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let log = LogFile("\(folder)/log", limit: 100)
        let descriptor = open(log.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        try #require(descriptor >= 0)
        let writer = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try body(log, writer)
        #expect(!FileManager.default.fileExists(atPath: "\(log.path).1.new"))
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// Ten bytes each.
    private func lines(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { "line \(1000 + $0)\n" }.joined()
    }

    @Test func `a log within its limit is left alone`() throws {
        try self.withLog { log, writer in
            try writer.write(contentsOf: Data(self.lines(1...10).utf8))
            #expect(!log.rotateIfFull())
            #expect(try self.text(log.path) == self.lines(1...10))
            #expect(!FileManager.default.fileExists(atPath: log.earlier))
        }
    }

    @Test func `a log that is not there yet is not full`() {
        #expect(!LogFile("/nonexistent/log", limit: 0).rotateIfFull())
    }

    @Test func `a writer goes on at the beginning of a log that was full`() throws {
        try self.withLog { log, writer in
            try writer.write(contentsOf: Data(self.lines(1...11).utf8))
            #expect(log.rotateIfFull())
            #expect(try self.text(log.path).isEmpty)
            #expect(try self.text(log.earlier) == self.lines(2...11))
            try writer.write(contentsOf: Data(self.lines(12...12).utf8))
            #expect(try self.text(log.path) == self.lines(12...12))
        }
    }

    @Test func `the log before the last one is forgotten`() throws {
        try self.withLog { log, writer in
            for start in [1, 101] {
                try writer.write(contentsOf: Data(self.lines(start...start + 10).utf8))
                #expect(log.rotateIfFull())
            }
            #expect(try self.text(log.earlier) == self.lines(102...111))
        }
    }

    @Test func `of a log far beyond its limit the last whole lines are kept`() throws {
        try self.withLog { log, writer in
            try writer.write(contentsOf: Data((self.lines(1...999) + "end\n").utf8))
            #expect(log.rotateIfFull())
            #expect(try self.text(log.earlier) == self.lines(991...999) + "end\n")
        }
    }

    @Test func `what a killed rotation left behind is in nobody's way`() throws {
        try self.withLog { log, writer in
            try Data("half a li".utf8).write(to: URL(filePath: "\(log.path).1.new"))
            try writer.write(contentsOf: Data(self.lines(1...11).utf8))
            #expect(log.rotateIfFull())
            #expect(try self.text(log.earlier) == self.lines(2...11))
        }
    }

    @Test func `a log that cannot be copied is cut all the same`() throws {
        try self.withLog { log, writer in
            try FileManager.default.createDirectory(atPath: log.earlier, withIntermediateDirectories: false)
            try writer.write(contentsOf: Data(self.lines(1...11).utf8))
            #expect(log.rotateIfFull())
            #expect(try self.text(log.path).isEmpty)
        }
    }
}
