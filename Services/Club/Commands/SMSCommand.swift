import ArgumentParser
import Auth
import Kernel

/// `club sms`: the messages that the development gateway took instead of sending them.
struct SMSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sms", abstract: "Show the SMS messages of the development gateway, the newest first.",
        discussion: """
            Without a real gateway, codes end up in an outbox in the database. On a terminal a table; in a pipe the time, \
            the phone and the text, separated by tabs.
            """)

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Only messages to this phone, for example +79991234567.")
    var phone: String?
    @Option(help: "At most so many messages.")
    var limit = 10
    @Flag(help: "Only the code of the newest message: its first run of 4 to 6 digits.")
    var code = false
    @Option(help: ArgumentHelp("Wait until so many messages are there, at most --wait seconds.", valueName: "n"))
    var count = 1
    @Option(help: ArgumentHelp("How long to wait for messages.", valueName: "seconds"))
    var wait = 0

    /// A message for programs.
    private struct Message: Encodable {
        let at: Timestamp
        let phone: String
        let text: String
    }

    func validate() throws {
        guard 1...10_000 ~= self.limit else { throw ValidationError("--limit is 1 to 10000.") }
        guard 1...10_000 ~= self.count else { throw ValidationError("--count is 1 to 10000.") }
        guard 0...3600 ~= self.wait else { throw ValidationError("--wait is 0 to 3600.") }
        _ = try self.number()
    }

    func run() async throws {
        let phone = try self.number()
        let messages = try await OperatorSession.run(in: self.system.folder) { session in
            try await self.messages(to: phone, from: ReadOutbox(database: session.database))
        }
        let output = self.output.output
        if self.code {
            guard let code = messages.first.flatMap({ Self.code(in: $0.text) }) else {
                throw CommandFailure(.checkFailed, "No message with a code is there.")
            }
            try output.result(["code": code], text: code)
        } else {
            try output.result(
                messages.map { Message(at: $0.sentAt, phone: $0.recipient, text: $0.text) },
                Table(
                    [.text("SENT"), .text("PHONE"), .text("TEXT")],
                    rows: messages.map { [$0.sentAt.description, $0.recipient, $0.text] }))
        }
    }

    /// The newest messages, as soon as there are enough of them or the patience has run out.
    private func messages(to phone: PhoneNumber?, from outbox: ReadOutbox) async throws -> [OutboxMessage] {
        let deadline = ContinuousClock.now + .seconds(self.wait)
        while true {
            let messages = try await outbox(to: phone, limit: max(self.limit, self.count))
            if messages.count >= self.count || ContinuousClock.now >= deadline {
                return Array(messages.prefix(self.limit))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func number() throws -> PhoneNumber? {
        guard let phone else { return nil }
        do {
            return try PhoneNumber(parsing: phone)
        } catch {
            throw ValidationError("The phone must be a Russian mobile number: +79991234567.")
        }
    }

    /// The code in a message's text: the first run of 4 to 6 digits.
    static func code(in text: String) -> String? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return text.utf8.split { !digits.contains($0) }.first { 4...6 ~= $0.count }.flatMap { String($0) }
    }
}
