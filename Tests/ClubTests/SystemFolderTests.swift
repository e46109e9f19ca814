import Foundation
import Kernel
import Testing

@testable import Club

@Suite struct SystemFolderTests {
    /// A folder for as long as the body runs.
    private func withFolder(_ body: (SystemFolder) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "/club-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = SystemFolder(option: path)
        try folder.prepare()
        try body(folder)
    }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func `the option goes before the environment, and the environment before .club`() {
        let here = FileManager.default.currentDirectoryPath
        #expect(SystemFolder(option: "/a", environment: ["CLUB_DATA": "/b"]).path == "/a")
        #expect(SystemFolder(option: nil, environment: ["CLUB_DATA": "/b"]).path == "/b")
        #expect(SystemFolder(option: nil, environment: ["CLUB_DATA": ""]).path == "\(here)/.club")
        #expect(SystemFolder(option: "x", environment: [:]).path == "\(here)/x")
    }

    @Test func `nobody else may look into the folder or at a secret`() throws {
        try self.withFolder { folder in
            let secret = try SystemSecrets(folder).readOrMake("key", bytes: 32)
            #expect(try self.mode(folder.path) == 0o700)
            #expect(try self.mode(folder.secretsFolder) == 0o700)
            #expect(try self.mode("\(folder.secretsFolder)/key") == 0o600)
            #expect(Data(base64Encoded: secret.text)?.count == 32)
        }
    }

    @Test func `a secret is made once, and no two are alike`() throws {
        try self.withFolder { folder in
            let secrets = SystemSecrets(folder)
            #expect(secrets.read("a") == nil)
            let first = try secrets.readOrMake("a", bytes: 16)
            #expect(try secrets.readOrMake("a", bytes: 16).text == first.text)
            #expect(try secrets.readOrMake("b", bytes: 16).text != first.text)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.secretsFolder).sorted() == ["a", "b"])
        }
    }

    @Test func `a system is running while the process that looks after it lives`() throws {
        try self.withFolder { folder in
            let me = try #require(ProcessIdentity.current)
            let service = SystemState.RunningService(name: "auth", url: "http://127.0.0.1:1", process: me)
            let state = SystemState(
                supervisor: me, startedAt: Timestamp(microseconds: 0), isSeparate: false, services: [service])
            try folder.save(state)
            #expect(folder.runningState() == state)
            #expect(try folder.requireRunning().url(of: "auth") == "http://127.0.0.1:1")
            #expect(throws: CommandFailure.self) { try state.url(of: "ledger") }
            folder.removeState()
            let failure = #expect(throws: CommandFailure.self) { try folder.requireRunning() }
            #expect(failure?.code == .unavailable)
        }
    }

    @Test func `a number that now belongs to another process is not the one that was remembered`() throws {
        let me = try #require(ProcessIdentity.current)
        #expect(me.isAlive)
        let text = #"{"pid": \#(me.pid), "startedAtTicks": \#(me.startedAtTicks + 1)}"#
        let earlier = try JSONDecoder().decode(ProcessIdentity.self, from: Data(text.utf8))
        #expect(!earlier.isAlive)
    }

    @Test(
        arguments: [
            ("12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99 20", 99),
            ("12 (x) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99 20", nil), ("12 (x) S 1 2", nil), ("", nil),
        ] as [(String, UInt64?)])
    func `a process's start is found behind any name, but not of what remains of a dead one`(
        stat: String, ticks: UInt64?
    ) {
        #expect(ProcessIdentity.startTicks(inStat: stat) == ticks)
    }

    @Test func `two systems never share a folder`() throws {
        try self.withFolder { folder in
            let lock = try #require(try folder.lock())
            #expect(try folder.lock() == nil)
            close(lock)
            let again = try #require(try folder.lock())
            close(again)
        }
    }
}
