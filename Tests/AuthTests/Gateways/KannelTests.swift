import AsyncHTTPClient
import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Kernel
import NIOCore
import NIOPosix
import Postgres
import TestSupport
import Testing

@testable import Auth

/// SMS through a real Kannel with its fake centre.
@Suite(.authDatabase, .capturedLogs, .enabled(if: Kannel.isInstalled)) struct KannelTests {
    private static let secret = String(repeating: "k7", count: 20)

    private static func settings(kannel: String, reports: String) -> [String: String] {
        [
            // Those of AuthWorld, so that both know the same phones.
            "CLUB_AUTH_MASTER_KEY": AuthWorld.master.text, "CLUB_AUTH_LOOKUP_KEY": AuthWorld.lookup.text,
            "CLUB_QUEUE_KEYS": "1:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", "CLUB_AUTH_SMS": "kannel",
            "CLUB_AUTH_KANNEL_URL": kannel, "CLUB_AUTH_KANNEL_USER": Kannel.user,
            "CLUB_AUTH_KANNEL_PASSWORD": Kannel.password, "CLUB_AUTH_KANNEL_REPORTS": reports,
            "CLUB_AUTH_KANNEL_SECRET": Self.secret,
        ]
    }

    /// Kannel must know where auth listens before auth knows it itself: the port is chosen beforehand.
    private func run(
        message: String? = nil, hasCentre: Bool = true,
        _ body: @escaping @Sendable (ServiceWorld, Kannel) async throws -> Void
    ) async throws {
        let port = try FreePort.next()
        let auth = "http://127.0.0.1:\(port)"
        try await Kannel.run(
            incoming: "\(auth)/gateways/kannel/\(Self.secret)/messages", message: message, hasCentre: hasCentre
        ) { kannel in
            var settings = Self.settings(kannel: kannel.address, reports: auth)
            settings["CLUB_PORT"] = "\(port)"
            try await ServiceWorld.run([AuthModule.self], settings: settings) { world in
                try await body(world, kannel)
            }
        }
    }

    /// Until the newest code has come so far.
    private func waitForState(_ wanted: Int16, _ owner: Database) async throws {
        try await eventually("state \(wanted)") { () async throws -> Void? in
            let state = try await owner.one("select max(state) from auth.sms").decode(Int16?.self)
            return state == wanted ? () : nil
        }
    }

    @Test func `a code in Cyrillic goes out as one message of UCS-2, and its report says that it arrived`() async throws
    {
        try await self.run { world, kannel in
            let asked = try await world.client(for: "auth").post("/v1/challenges", ["phone": "+79161234567"])
            #expect(asked.status == 202)
            let line: String = try await eventually("the centre gets the message") { () async throws -> String? in
                try kannel.received().first
            }
            #expect(line.hasPrefix("club +79161234567 ucs-2 "))
            // "— код для входа": two bytes for each character.
            #expect(line.contains("%04%3A%04%3E%044"))
            let owner = try TestDatabase.current.owner
            try await self.waitForState(3, owner)
            #expect(try kannel.received().count == 1)
        }
        #expect(!CapturedLogs.text.contains(Kannel.password) && !CapturedLogs.text.contains(Self.secret))
    }

    @Test func `whoever answers STOP gets no more offers by SMS`() async throws {
        let world = try AuthWorld()
        _ = try await world.register()
        try await world.consent(
            try await world.owner.one("select member_id from auth.member").decode(Member.ID.self), "marketing", "sms")
        // «Стоп», in the coding of the other test's answer.
        try await self.run(message: "79161234567 club ucs2 %04%21%04%42%04%3E%04%3F") { _, _ in
            _ = try await eventually("the withdrawal") { () async throws -> Bool? in
                let row = try await world.owner.one(
                    "select granted, source from auth.consent order by consent_id desc limit 1")
                let (granted, source) = try row.decode(Bool.self, String.self)
                return !granted && source == "reply" ? true : nil
            }
        }
    }

    @Test func `a Kannel whose centre is away keeps the message`() async throws {
        try await self.run(hasCentre: false) { world, kannel in
            _ = try await world.client(for: "auth").post("/v1/challenges", ["phone": "+79161234567"])
            let owner = try TestDatabase.current.owner
            try await self.waitForState(1, owner)
        }
    }

    private func gateway(_ address: String, _ client: HTTPClient, patience: Duration = .seconds(10)) -> KannelSMSGateway
    {
        KannelSMSGateway(
            client: client,
            configuration: KannelSMSGateway.Configuration(
                address: address, user: Kannel.user, password: Secret(Kannel.password), sender: "club",
                reports: Secret("http://127.0.0.1:1/gateways/kannel/x"), patience: patience))
    }

    private func send(_ gateway: KannelSMSGateway) async throws -> DeliveryState {
        try await gateway.send(to: PhoneNumber(parsing: "+79161234567"), text: "Код", reference: UUID())
    }

    @Test
    func `a gateway that is down took nothing, one with another password neither, and of a silent one it is not clear`()
        async throws
    {
        let service = GatewayClient()
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let free = try FreePort.next()
        await #expect(throws: GatewayFailure.unavailable("kannel-unreachable")) {
            try await self.send(self.gateway("http://127.0.0.1:\(free)/sendsms", service.client))
        }
        await #expect(throws: GatewayFailure.unclear("kannel-silent")) {
            try await self.send(
                self.gateway("http://127.0.0.1:\(port)/sendsms", service.client, patience: .milliseconds(300)))
        }
        try await silent.close()
        try await Kannel.run(incoming: "http://127.0.0.1:1/x") { kannel in
            let state = try await self.send(self.gateway(kannel.address, service.client))
            #expect(state == .accepted)
            let other = KannelSMSGateway(
                client: service.client,
                configuration: KannelSMSGateway.Configuration(
                    address: kannel.address, user: Kannel.user, password: Secret("another"), sender: "club",
                    reports: Secret("http://127.0.0.1:1/x")))
            await #expect(throws: GatewayFailure.unavailable("kannel-403")) { try await self.send(other) }
        }
        try await service.client.shutdown()
    }
}

/// What Kannel calls, without Kannel.
@Suite(.authDatabase, .capturedLogs) struct KannelRoutesTests {
    private static let secret = String(repeating: "k7", count: 20)

    @Test func `reports and messages are taken from whoever knows the secret, and from nobody where there is none`()
        async throws
    {
        let world = try AuthWorld(gateway: ScriptedGateway(), outlets: { $0.kannelSecret = Secret(Self.secret) })
        let notice = world.notice(to: .phone(try PhoneNumber(parsing: "+79161234568")), by: [.sms])
        try await world.parts.edge.deliver(notice)
        try await world.client { client in
            let path = "/reports/\(notice.id)"
            let refused: [(String, Int)] = [
                ("/gateways/kannel/wrong\(path)?status=1", 404),
                ("/gateways/kannel/\(Self.secret.dropLast())\(path)?status=1", 404),
                ("/gateways/kannel/\(Self.secret)\(path)?status=3", 404),
                ("/gateways/kannel/\(Self.secret)/reports/x?status=1", 404),
            ]
            for (address, status) in refused {
                #expect(try await client.ask(.get, address).status == status)
            }
            #expect(try await world.standing(of: notice).state == .sent)
            for status in [8, 1, 1, 2] {
                let answer = try await client.ask(.get, "/gateways/kannel/\(Self.secret)\(path)?status=\(status)")
                #expect(answer.status == 204 && answer.text.isEmpty)
            }
            #expect(try await world.standing(of: notice).state == .delivered)
            let odd = try await client.ask(
                .get, "/gateways/kannel/\(Self.secret)/messages?from=%2B1&coding=0&text=%ff%zz")
            #expect(odd.status == 204)
        }
        let without = try AuthWorld()
        try await without.client { client in
            for secret in ["", "x"] {
                let answer = try await client.ask(.get, "/gateways/kannel/\(secret)/reports/\(notice.id)?status=1")
                #expect(answer.status == 404)
            }
        }
    }

    @Test(arguments: [
        ("%04!%04%42%04%3E%04%3F", 2, "Стоп"), ("%D0%A1%D1%82%D0%BE%D0%BF", 0, "Стоп"), ("stop+it", 0, "stop it"),
        ("", 2, ""), ("%04", 2, ""),
    ])
    func `a text from a phone is read in its coding`(raw: String, coding: Int, text: String) {
        #expect(KannelText.decode(raw[...], coding: coding) == text)
        #expect(KannelText.decode("%4", coding: 0) == nil && KannelText.decode("%4x", coding: 0) == nil)
    }
}
