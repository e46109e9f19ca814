import Foundation
import TestSupport
import Testing

@testable import Club

/// The log of a running system, to which processes write that cannot be told to open another.
@Suite struct SystemLogTests {
    @Test func `a full log starts anew, and all processes go on writing to it`() async throws {
        try await TestSystem.run(separate: true) { system in
            let folder = SystemFolder(option: system.folder)
            let log = LogFile(folder.logFile)
            let ledger = try #require(folder.loadState()?.services.first { $0.name == "ledger" }?.process)

            let writer = try FileHandle(forWritingTo: URL(filePath: log.path))
            try writer.seekToEnd()
            try writer.write(contentsOf: Data(repeating: UInt8(ascii: "."), count: log.limit) + Data("\n".utf8))
            try writer.close()
            try await eventually("the log starts anew") {
                try FileManager.default.fileExists(atPath: log.earlier) && Self.size(log.path) < log.limit
            }
            #expect(try Self.size(log.earlier) < log.limit * 2)

            // The last words of a process that is older than the new log, and its supervisor's.
            ledger.signal(SIGTERM)
            try await eventually("the service and its supervisor write to the log") {
                let text = try String(contentsOfFile: log.path, encoding: .utf8)
                return text.contains("\"Stopped\"") && text.contains("The service ledger ended")
            }
            // No hole where the old log was.
            #expect(try Self.size(log.path) < log.limit / 4)
            #expect(try !Data(contentsOf: URL(filePath: log.path)).contains(0))
            // The witness of the tests that look for processes left behind.
            #expect(try TestSystem.processes(of: system.folder).count >= 4)
        }
    }

    private static func size(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    }
}
