import Auth
import Kernel

/// The phones in people's hands: what the development gateway took for them.
struct Phones: Sendable {
    let outbox: ReadOutbox

    /// Messages that are read of one phone.
    private static let limit = 100

    /// The texts that a phone has been sent, the newest first.
    func messages(to phone: String) async throws -> [String] {
        try await self.outbox(to: PhoneNumber(parsing: phone), limit: Self.limit).map(\.text)
    }

    /// A message that came after so many others and that says something.
    func message(to phone: String, after count: Int, saying what: String) async throws -> String {
        try await Patience().until("SMS со словом «\(what)»") {
            try await self.messages(to: phone).dropLast(count).first { $0.contains(what) }
        }
    }

    /// The code of the newest message after so many others: its first word, of 4 to 6 digits.
    func code(to phone: String, after count: Int) async throws -> String {
        try await Patience().until("SMS с кодом") {
            let messages = try await self.messages(to: phone).dropLast(count)
            return messages.lazy.map { String($0.prefix { $0.isNumber }) }.first { 4...6 ~= $0.utf8.count }
        }
    }
}

/// How long something is waited for.
struct Patience: Sendable {
    var limit = Duration.seconds(60)
    var pause = Duration.milliseconds(50)

    /// Asks again and again until there is an answer.
    /// - Throws: ``TourMiss`` when the time is over, and what the body throws, at once.
    func until<Value>(_ what: String, _ body: () async throws -> Value?) async throws -> Value {
        let deadline = ContinuousClock.now + self.limit
        while true {
            if let value = try await body() { return value }
            guard ContinuousClock.now < deadline else { throw TourMiss("не дождались: \(what)") }
            try await Task.sleep(for: self.pause)
        }
    }
}
