import FoundationEssentials
import Kernel
import Web

/// A member whom the tour has met: what they know, and an access token for the minutes of the tour.
struct TourMember: Sendable {
    let id: String
    let phone: String
    let card: String
    let token: String
}

/// One walk through the rows, one after the other: it asks, writes down what was asked and answered, and remembers what
/// later rows build on. What a row needs is made when it is not there yet, so that each row can be walked alone.
final class TourWalk {
    /// Rows that need a gift on its way.
    static let giftRows = 28...32

    let client: ProgrammeClient
    let phones: Phones
    private let colleagues: DemoColleagues
    private let till: String
    private var steps: [TourReport.Step] = []
    private var tokens: [StaffRole: String] = [:]

    /// The number of the till's fiscal memory, new in each tour.
    let memory = "9" + TourWalk.digits(15)
    var documents: Int64 = 0
    /// The member of the tour.
    var member: TourMember?
    /// The mother, whom she makes gifts.
    var mother: TourMember?
    /// The coupon that row 44 takes and row 51 shows.
    var coupon: String?
    /// The certificate for the mother.
    var gift: String?
    /// How many messages the mother had before it.
    var messagesBeforeGift = 0
    /// The ticket that rows 46 and 56 to 61 are about.
    var ticket: String?

    init(client: ProgrammeClient, phones: Phones, colleagues: DemoColleagues, till: String) {
        (self.client, self.phones, self.colleagues, self.till) = (client, phones, colleagues, till)
    }

    /// The member of the tour.
    var vera: TourMember {
        get throws {
            guard let member else { throw TourMiss("участника ещё нет") }
            return member
        }
    }

    /// What was asked since the last time.
    func takeSteps() -> [TourReport.Step] {
        defer { self.steps = [] }
        return self.steps
    }

    // MARK: Asking

    /// Who asks.
    enum Caller: Sendable {
        case nobody
        case member(TourMember)
        case till
        case colleague(StaffRole)
    }

    /// One request that must be answered with a status, and whose answer must be as the row promises.
    /// - Parameter essence: what the answer says, in a member's words; throws ``TourMiss`` when it does not.
    @discardableResult
    func ask(
        _ caller: Caller, _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil,
        gives status: Int = 200, _ essence: (ProgrammeClient.Answer) throws -> String
    ) async throws -> ProgrammeClient.Answer {
        try await self.ask(caller, method, part, path, body.map { .json($0) }, [:], gives: status, essence)
    }

    /// The same with a body of another kind, and with headers.
    @discardableResult
    func ask(
        _ caller: Caller, _ method: String, _ part: ServicePart, _ path: String, _ body: ProgrammeClient.Body?,
        _ headers: [String: String], gives status: Int = 200, _ essence: (ProgrammeClient.Answer) throws -> String
    ) async throws -> ProgrammeClient.Answer {
        let answer = try await self.send(caller, method, part, path, body, headers)
        do {
            guard answer.status == status else {
                throw TourMiss("ожидался ответ \(status), пришёл \(answer.status): \(answer.problem)")
            }
            self.note(answer, method, part, path, try essence(answer))
        } catch {
            self.note(answer, method, part, path, "")
            throw error
        }
        return answer
    }

    /// Asks until the answer is as wanted; the last answer is written down.
    @discardableResult
    func wait(
        _ caller: Caller, _ method: String, _ part: ServicePart, _ path: String, for what: String,
        _ essence: (ProgrammeClient.Answer) throws -> String?
    ) async throws -> ProgrammeClient.Answer {
        try await Patience().until(what) {
            let answer = try await self.send(caller, method, part, path, nil, [:])
            guard answer.status < 300, let essence = try essence(answer) else { return nil }
            self.note(answer, method, part, path, essence)
            return answer
        }
    }

    /// One request, not written down.
    func send(
        _ caller: Caller, _ method: String, _ part: ServicePart, _ path: String, _ body: ProgrammeClient.Body? = nil,
        _ headers: [String: String] = [:]
    ) async throws -> ProgrammeClient.Answer {
        let token: String? =
            switch caller {
            case .nobody: nil
            case .member(let member): member.token
            case .till: self.till
            case .colleague(let role): try await self.token(role)
            }
        return try await self.client.send(method, part, path, body, token: token, headers: headers)
    }

    private func token(_ role: StaffRole) async throws -> String {
        if let token = self.tokens[role] { return token }
        let token = try await self.colleagues.token(role, self.client)
        self.tokens[role] = token
        return token
    }

    private func note(
        _ answer: ProgrammeClient.Answer, _ method: String, _ part: ServicePart, _ path: String, _ essence: String
    ) {
        self.steps.append(
            TourReport.Step(
                method: method, service: part.rawValue, path: path, status: answer.status, essence: essence))
    }

    // MARK: Numbers and words

    static func digits(_ count: Int) -> String {
        String((0..<count).map { _ in Character("\(Int.random(in: 0...9))") })
    }

    /// A mobile number that nobody has, as far as chance goes.
    static func newPhone() -> String { "+7999" + Self.digits(7) }

    /// `1 балл`, `2 балла`, `5 баллов`.
    static func points(_ count: Int64) -> String {
        switch (count % 10, count % 100) {
        case (_, 11...14): "\(count) баллов"
        case (1, _): "\(count) балл"
        case (2...4, _): "\(count) балла"
        default: "\(count) баллов"
        }
    }

    /// `1234,50 ₽` out of kopecks.
    static func roubles(_ kopecks: Int64) -> String {
        let rest = kopecks % 100
        return "\(kopecks / 100)" + (rest == 0 ? "" : ",\(rest < 10 ? "0" : "")\(rest)") + " ₽"
    }

    /// `28.11.2026` out of a moment or a day as services write it.
    static func day(_ moment: String?) -> String {
        let parts = (moment ?? "").prefix(10).split(separator: "-")
        return parts.count == 3 ? "\(parts[2]).\(parts[1]).\(parts[0])" : "—"
    }

    /// A text as a query has it.
    static func query(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
