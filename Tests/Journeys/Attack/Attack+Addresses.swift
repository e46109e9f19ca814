import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOConcurrencyHelpers
import TestSupport
import Testing
import Web

@testable import Club

/// Somebody among us, or at a partner, who wants our services to ask where nobody outside can.
extension Attack {
    /// Where a cloud keeps its secrets, what listens beside us, and the many ways to write them.
    private static let addresses = [
        "http://169.254.169.254", "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:5432",
        "http://localhost:5432", "http://[::1]:5432", "http://[::ffff:127.0.0.1]:5432", "http://2130706433:5432",
        "http://0x7f000001:5432", "http://0177.0.0.1:5432", "http://127.1:5432", "http://0.0.0.0:5432",
        "https://evil.example", "file:///etc/passwd", "gopher://127.0.0.1:5432/x", "//127.0.0.1:5432", "127.0.0.1:5432",
        "",
    ]

    func `no address but the allowed ones is taken, however it is written`() async throws {
        let partner = try self.crowd.programme.address(of: .partners)
        let allowed = try #require(partner.split(separator: "/").last)
        // The allowed host in front of another, behind it, and as its password.
        let dressed = [
            "http://\(allowed)@127.0.0.1:5432", "http://127.0.0.1:5432@\(allowed)", "http://127.0.0.1:5432#\(allowed)",
            "http://127.0.0.1:5432?\(allowed)", "http://\(allowed).evil.example",
            "http://127.0.0.1:5432\\@\(allowed)",
        ]
        for address in Self.addresses + dressed {
            let answer = try await self.move(to: address)
            #expect((400..<500).contains(answer.status), "\(address): \(answer.text)")
        }
        // Back to where it belongs.
        try await self.agree(to: "\(partner)/s7")
    }

    func `a partner that sends us elsewhere is not followed`() async throws {
        try await self.agree(to: self.elsewhere.address)
        // The partner is asked whether the number is its member's.
        let linked = try await self.crowd.member.session.send(
            "PUT", .exchange, "/v1/links/s7", ["number": "123456782", "surname": "Иванова", "name": "Вера"])
        #expect(linked.status >= 400, "\(linked.text)")
        let counts = self.elsewhere.counts.withLockedValue { $0 }
        #expect(counts.asked > 0)
        #expect(counts.followed == 0)
    }

    /// The partner manager asks for another address of the partner s7.
    private func move(to address: String) async throws -> HTTPTestAnswer {
        try await self.crowd.colleague(.partnerManager).send(
            "POST", .exchange, "/staff/v1/partners/s7/address", ["address": .text(address), "reason": "Переезд"])
    }

    /// The same, and another colleague agrees.
    private func agree(to address: String) async throws {
        let asked = try await self.move(to: address)
        try #require(asked.status == 201, "\(asked.text)")
        let change = try #require(try asked.json(JSON.self)["change"]?.text)
        try await self.crowd.colleague(.financeApprover).ask(
            "POST", .exchange, "/staff/v1/partner-changes/\(change)/decision",
            ["decision": "approved", "comment": "Согласовано"])
    }
}

/// A partner that answers every question with the way to an address inside.
struct PartnerElsewhere: Sendable {
    let host: String
    /// How often it was asked, and how often somebody went where it showed.
    let counts: NIOLockedValueBox<(asked: Int, followed: Int)>

    var address: String { "http://\(self.host)" }

    /// Is there for as long as the body runs.
    static func run(_ body: @escaping @Sendable (PartnerElsewhere) async throws -> Void) async throws {
        let counts = NIOLockedValueBox((asked: 0, followed: 0))
        let lead: @Sendable (Request, BasicRequestContext) -> Response = { request, _ in
            let isInside = request.uri.path.hasPrefix("/inside")
            counts.withLockedValue { if isInside { $0.followed += 1 } else { $0.asked += 1 } }
            return isInside
                ? Response(status: .ok) : Response(status: .temporaryRedirect, headers: [.location: "/inside"])
        }
        let router = Router()
        for method in [HTTPRequest.Method.get, .post, .put] { router.on("**", method: method, use: lead) }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            logger: CapturedLogs.logger)
        try await application.test(.live) { client in
            try await body(PartnerElsewhere(host: "127.0.0.1:\(try #require(client.port))", counts: counts))
        }
    }
}
