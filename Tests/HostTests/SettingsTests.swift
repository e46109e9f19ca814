import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Host

@Suite struct SettingsTests {
    private static let port = Setting.integer("CLUB_PORT", default: 8080, in: 0...65_000, meaning: "the base port")
    private static let hold = Setting.duration(
        "CLUB_LEDGER_HOLD_TIME", default: .seconds(900), in: .seconds(60) ... .seconds(7200), meaning: "how long")
    private static let level = Setting.choice(
        "CLUB_LOG_LEVEL", among: ["info", "debug"], default: "info", meaning: "what is logged")
    private static let isStrict = Setting.flag("CLUB_LEDGER_STRICT", default: false, meaning: "whether it is strict")
    private static let master = Setting.secret("CLUB_LEDGER_MASTER_KEY", minimumBytes: 16, meaning: "the key")
    private static let password = Setting.optionalSecret("CLUB_LEDGER_PASSWORD", meaning: "the password")
    private static let database = Setting.text("CLUB_DATABASE", default: "host=db", meaning: "where it is")
    private static let all = [port, hold, level, isStrict, password, database]

    private func settings(
        _ environment: [String: String], given: [String: String] = [:], declared: [Setting] = Self.all
    ) throws -> Settings {
        try Settings(declared, from: SettingsSources(given: given, environment: environment))
    }

    private func sentence(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was refused"
        } catch {
            return "\(error)"
        }
    }

    @Test func `what nobody sets has its default`() throws {
        let settings = try self.settings([:])
        #expect(try settings.integer(Self.port) == 8080)
        #expect(try settings.duration(Self.hold) == .seconds(900))
        #expect(try settings.text(Self.level) == "info")
        #expect(try settings.flag(Self.isStrict) == false)
        #expect(try settings.optionalSecret(Self.password) == nil)
    }

    @Test func `the program goes before the environment, the environment before the file, the file before the default`()
        throws
    {
        try withTemporaryFile(#"{"CLUB_PORT": 1, "CLUB_LOG_LEVEL": "debug", "CLUB_LEDGER_STRICT": true}"#) { file in
            let environment = ["CLUB_CONFIG": file, "CLUB_PORT": "2", "CLUB_LEDGER_HOLD_TIME": "2h"]
            let settings = try self.settings(environment, given: ["CLUB_LEDGER_HOLD_TIME": "90s"])
            #expect(try settings.integer(Self.port) == 2)
            #expect(try settings.duration(Self.hold) == .seconds(90))
            #expect(try settings.text(Self.level) == "debug")
            #expect(try settings.flag(Self.isStrict))
        }
    }

    @Test(arguments: [
        (["CLUB_PORT": "http"], #"CLUB_PORT must be a whole number from 0 to 65000, not "http"."#),
        (["CLUB_PORT": "70000"], #"CLUB_PORT must be a whole number from 0 to 65000, not "70000"."#),
        (["CLUB_LOG_LEVEL": "loud"], #"CLUB_LOG_LEVEL must be one of info, debug, not "loud"."#),
        (["CLUB_LEDGER_STRICT": "yes"], #"CLUB_LEDGER_STRICT must be true or false, not "yes"."#),
        (
            ["CLUB_LEDGER_HOLD_TIME": "30"],
            #"CLUB_LEDGER_HOLD_TIME must be a length of time such as 90s, 15m or 2h, from 1m to 2h, not "30"."#
        ),
        (
            ["CLUB_LEDGER_HOLD_TIME": "3h"],
            #"CLUB_LEDGER_HOLD_TIME must be a length of time such as 90s, 15m or 2h, from 1m to 2h, not "3h"."#
        ),
    ])
    func `an invalid value is refused by a sentence that names it`(environment: [String: String], expected: String) {
        #expect(self.sentence { _ = try self.settings(environment) } == expected)
    }

    @Test func `an unknown name is refused, with the one that was probably meant`() {
        #expect(
            self.sentence { _ = try self.settings(["CLUB_PROT": "1"]) }
                == "CLUB_PROT is not a setting; did you mean CLUB_PORT?")
        #expect(
            self.sentence { _ = try self.settings(["CLUB_LEDGER_WHATEVER_THIS_IS": "1"]) }
                == "CLUB_LEDGER_WHATEVER_THIS_IS is not a setting.")
    }

    @Test func `an unknown name in the file is refused as well`() throws {
        try withTemporaryFile(#"{"CLUB_LOG_LEVLE": "debug"}"#) { file in
            #expect(
                self.sentence { _ = try self.settings(["CLUB_CONFIG": file]) }
                    == "CLUB_LOG_LEVLE is not a setting; did you mean CLUB_LOG_LEVEL?")
        }
    }

    @Test func `names of other services and of the operator's command are theirs to check`() throws {
        _ = try self.settings(["CLUB_AUTH_ANYTHING": "x", "CLUB_DATA": "/srv/club", "PATH": "/bin"])
    }

    @Test func `a file that is missing or is no object of scalars is refused by name`() throws {
        #expect(
            self.sentence { _ = try self.settings(["CLUB_CONFIG": "/nowhere/club.json"]) }
                == "CLUB_CONFIG names /nowhere/club.json, which cannot be read.")
        try withTemporaryFile(#"{"CLUB_PORT": [1]}"#) { file in
            #expect(self.sentence { _ = try self.settings(["CLUB_CONFIG": file]) }.contains("is not a JSON object"))
        }
    }

    @Test func `a secret comes from the file that its _FILE names, without the line feed at the end`() throws {
        try withTemporaryFile("0123456789abcdef\n") { file in
            let settings = try self.settings(
                ["CLUB_LEDGER_MASTER_KEY_FILE": file], declared: Self.all + [Self.master])
            #expect(try settings.secret(Self.master).text == "0123456789abcdef")
        }
    }

    @Test func `a secret that is missing, too short, unreadable or given twice is refused without showing it`() throws {
        let declared = Self.all + [Self.master]
        #expect(
            self.sentence { _ = try self.settings([:], declared: declared) }
                == "CLUB_LEDGER_MASTER_KEY is missing: it says the key and must be a secret of at least 16 bytes.")
        let short = self.sentence { _ = try self.settings(["CLUB_LEDGER_MASTER_KEY": "hunter2"], declared: declared) }
        #expect(
            short == "CLUB_LEDGER_MASTER_KEY must be a secret of at least 16 bytes, not what it is set to.")
        #expect(
            self.sentence {
                _ = try self.settings(["CLUB_LEDGER_MASTER_KEY_FILE": "/nowhere/key"], declared: declared)
            } == "CLUB_LEDGER_MASTER_KEY_FILE names /nowhere/key, which cannot be read as text.")
        try withTemporaryFile("0123456789abcdef") { file in
            let both = ["CLUB_LEDGER_MASTER_KEY": "0123456789abcdef", "CLUB_LEDGER_MASTER_KEY_FILE": file]
            #expect(
                self.sentence { _ = try self.settings(both, declared: declared) }
                    == "CLUB_LEDGER_MASTER_KEY and CLUB_LEDGER_MASTER_KEY_FILE are both set: choose one.")
        }
    }

    @Test func `what is printed shows every setting and no secret`() throws {
        let settings = try self.settings([
            "CLUB_LEDGER_PASSWORD": "hunter2", "CLUB_DATABASE": "postgresql://owner:hunter3@db/club",
        ])
        let printed = settings.masked.map { "\($0.name)=\($0.value)" }
        #expect(printed.contains("CLUB_LEDGER_PASSWORD=***"))
        #expect(printed.contains("CLUB_DATABASE=postgresql://owner:***@db/club"))
        #expect(printed.contains("CLUB_PORT=8080"))
        #expect(!printed.joined().contains("hunter"))
    }

    @Test(arguments: [
        ("host=db password=secret user=x", "host=db password=*** user=x"),
        (#"host=db password = 'a b\'c' user=x"#, "host=db password=*** user=x"),
        ("postgresql://u:secret@a:1,b:2/club", "postgresql://u:***@a:1,b:2/club"),
        ("postgresql://u@a/club?password=secret", "postgresql://u@a/club?password=***"),
        ("host=db", "host=db"),
    ])
    func `passwords inside of connection strings are masked`(text: String, masked: String) {
        #expect(ConnectionText.masked(text) == masked)
    }

    @Test func `reading a setting that the service does not declare is an error that names it`() throws {
        let settings = try self.settings([:])
        #expect(throws: SettingsError.self) { try settings.secret(Self.master) }
    }

    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("90s", .seconds(90)), ("15m", .seconds(900)), ("2h", .seconds(7200)),
        ("14d", .seconds(1_209_600)), ("0s", .zero),
    ])
    func `lengths of time are read and written`(text: String, duration: Duration) {
        #expect(DurationText.read(text) == duration)
        #expect(DurationText.read(DurationText.write(duration)) == duration)
    }

    @Test(arguments: ["", "s", "-1s", "1.5s", "1 s", "1w", "٣s", "99999999999999999999s", "9223372036854775807d"])
    func `what is no length of time is none`(text: String) {
        #expect(DurationText.read(text) == nil)
    }
}

/// A file with this content for as long as the body runs.
private func withTemporaryFile(_ text: String, _ body: (String) throws -> Void) throws {
    let path = "/tmp/club-host-\(UUID().uuidString)"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}
