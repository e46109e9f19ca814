import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import Club
@testable import PartnerSimulator

/// Somebody who knocks at a service's door.
enum Caller: Hashable, Sendable {
    case nobody
    /// The member whose things are asked for, and another one.
    case member, other
    /// A till with a key for everything that tills do.
    case till
    /// The partner s7, which signs as it was agreed.
    case partner
    case colleague(StaffRole)

    /// Everybody, the member last: what the member may do can end what the others ask for.
    static let all: [Caller] =
        [.nobody, .other, .till, .partner] + StaffRole.allCases.map { .colleague($0) } + [.member]
}

/// One of everybody, in a running system.
struct Crowd: Sendable {
    /// What lets a test knock thousands of times: limits have tests of their own.
    static let settings = [
        "CLUB_AUTH_NETWORK_HOUR": "1000000", "CLUB_AUTH_NETWORK_PHONES": "1000000", "CLUB_AUTH_PHONE_HOUR": "1000",
        "CLUB_AUTH_PHONE_DAY": "1000", "CLUB_AUTH_PREFIX_HOUR": "100000", "CLUB_AUTH_PUMPING_SENDS": "100000",
        "CLUB_AUTH_STEP_UPS_HOUR": "1000", "CLUB_AUTH_STEP_UPS_DAY": "1000", "CLUB_AUTH_ACCESS_LIFETIME": "3600s",
        "CLUB_SUPPORT_OPEN_RATE": "10000",
    ]

    let programme: Programme
    let member: Customer
    let other: Customer
    let till: Till
    private let colleagues: [StaffRole: Colleague]
    /// Two more members, for the routes that end the session that asks.
    private let spares: [Caller: Customer]
    private let partnerSecret: String

    init(_ programme: Programme) async throws {
        self.programme = programme
        self.member = try await Customer.join(
            programme, phone: "+79161000001", name: ["last": "Иванова", "first": "Вера"])
        self.other = try await Customer.join(
            programme, phone: "+79162000002", name: ["last": "Чужая", "first": "Анна"])
        self.spares = [
            .member: try await Customer.join(
                programme, phone: "+79163000003", name: ["last": "Запасная", "first": "Мария"]),
            .other: try await Customer.join(
                programme, phone: "+79164000004", name: ["last": "Лишняя", "first": "Ольга"]),
        ]
        self.till = try await Till(in: "demo-1", memory: "9999078900001234", of: programme)
        var colleagues: [StaffRole: Colleague] = [:]
        for role in StaffRole.allCases { colleagues[role] = try await Colleague(role, in: programme) }
        self.colleagues = colleagues
        let secret = SystemSecrets(programme.folder).read(DemoPartners.Partner.s7.secretName)
        self.partnerSecret = try #require(secret).text
    }

    func colleague(_ role: StaffRole) throws -> PersonSession { try #require(self.colleagues[role]).session }

    /// One request by one of them. Whoever asks too fast waits for a turn.
    /// - Parameter spare: the members who log out are others than the ones that are needed again.
    func send(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, as caller: Caller,
        spare: Bool = false
    ) async throws -> HTTPTestAnswer {
        try await eventually("\(method) \(path) is not too fast", within: .seconds(90), every: .milliseconds(500)) {
            let answer = try await self.sendOnce(method, part, path, body, as: caller, spare: spare)
            return answer.status == 429 ? nil : answer
        }
    }

    /// One request by one of them, also when the answer is to wait.
    func sendOnce(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, as caller: Caller,
        spare: Bool = false
    ) async throws -> HTTPTestAnswer {
        switch caller {
        case .nobody: return try await self.programme.send(method, part, path, body)
        case .member, .other:
            let customer = caller == .member ? self.member : self.other
            let session = spare ? try #require(self.spares[caller]).session : customer.session
            return try await session.send(method, part, path, body)
        case .till: return try await self.till.send(method, part, path, body)
        case .partner:
            let headers = try self.signed(method, path, body)
            return try await self.programme.send(method, part, path, body, headers: headers)
        case .colleague(let role): return try await self.colleague(role).send(method, part, path, body)
        }
    }

    /// The headers of a request as the partner s7 signs it.
    /// - Parameters:
    ///   - secret: another one than was agreed.
    ///   - moment: seconds since 1970; now by default.
    func signed(
        _ method: String, _ path: String, _ body: JSON?, secret: String? = nil, at moment: Int64? = nil
    ) throws -> [String: String] {
        let bytes = try body.map { Array(try Programme.bytes($0)) } ?? []
        let time = "\(moment ?? Int64(Date().timeIntervalSince1970))"
        let signature = PartnerSignature(secret: secret ?? self.partnerSecret)
        return ["club-timestamp": time, "club-signature": signature.sign(method, path, time, bytes)]
    }
}
