import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct NoticeTests {
    private let neighbours = Neighbours()

    @Test func `an answer goes out by e-mail, with an address that leads back`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let token = try await world.token()
                let opened = try await client.open(token, extra: #", "email": "Anna@Example.org""#)
                let received = try await self.neighbours.notices.next()
                #expect(received.recipient == .email(try #require(EmailAddress("Anna@example.org"))))
                #expect(received.russian.subject == "Обращение № 1001")
                _ = try await client.ask(
                    .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Всё исправили."}"#,
                    token: try await world.token(staff, .support))
                let notice = try await self.neighbours.notices.next()
                #expect(notice.purpose == .service && notice.channels == [.email])
                #expect(notice.russian.body == "\(QuotedText.line)\n\nВсё исправили.")
                let mail = try #require(notice.mail)
                let address = ReplyAddress(mail.replyTo.address, domain: SupportWorld.domain, SupportWorld.keys)
                #expect(address?.ticket == opened.id)
                // The mail server brings the answer, which names what it answers; the next letter names the answer.
                let letter = """
                    From: anna@example.org\r\nTo: \(mail.replyTo.address)\r\nMessage-ID: <1@example.org>\r\n\
                    In-Reply-To: \(mail.messageID)\r\n\r\nСпасибо!\r\n
                    """
                let outcome = try await world.parts.receive(Array(letter.utf8))
                #expect(outcome == .added(opened.id))
                _ = try await client.ask(
                    .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Пожалуйста.", "then": "resolved"}"#,
                    token: try await world.token(staff, .support))
                #expect(try await self.neighbours.notices.next().mail?.inReplyTo == "<1@example.org>")
            }
        }
    }

    @Test func `without an address the member is told by the ways that auth knows`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let token = try await world.token()
                let opened = try await client.open(token)
                _ = try await client.ask(
                    .post, "/staff/v1/tickets/\(opened.id)/answers", #"{"text": "Готово."}"#,
                    token: try await world.token(staff, .support))
                let notice = try await self.neighbours.notices.next()
                #expect(notice.recipient == .member(world.member))
                #expect(notice.channels == [.push, .email])
                #expect(notice.russian.body == "Готово.")
                // Reports come out of order: the earlier state must not come back.
                func report(_ state: NotificationMoved.State) async throws {
                    let event = NotificationMoved(id: notice.id, state: state, channel: .push, at: SupportWorld.noon)
                    try await world.owner.transaction { transaction in
                        try await SupportWorld.bus("auth", world.owner).publish(event, in: transaction)
                    }
                }
                try await report(.delivered)
                try await eventually("the customer sees that it has arrived") {
                    let seen: TicketSeen = try await client.ask(.get, "/v1/tickets/\(opened.id)", token: token).read()
                    return seen.messages.last?.notice == "delivered"
                }
                try await report(.sent)
                try await eventually("both reports are read") {
                    try await world.count(
                        """
                        select count(*)
                        from queue.outcome
                        join queue.queue on queue.id = outcome.queue_id
                        where queue.name = 'support.events' and outcome.state = 2
                        """) == 2
                }
                let seen: TicketSeen = try await client.ask(.get, "/v1/tickets/\(opened.id)", token: token).read()
                #expect(seen.messages.last?.notice == "delivered")
            }
        }
    }

    @Test func `a token of a session that was logged out opens nothing any more`() async throws {
        let world = try SupportWorld()
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let token = try await world.token()
                #expect(try await client.ask(.get, "/v1/tickets", token: token).status == 200)
                try await world.owner.transaction { transaction in
                    try await SupportWorld.bus("auth", world.owner).publish(
                        SessionEnded(
                            session: Session.ID(world.member.raw), forgetAt: SupportWorld.noon + .seconds(600)),
                        in: transaction)
                }
                try await eventually("the ending is heard of") {
                    try await world.count("select count(*) from support.ended_session") == 1
                }
                world.clock.advance(by: .seconds(2))
                #expect(try await client.ask(.get, "/v1/tickets", token: token).status == 401)
            }
        }
    }

    /// What was written to somebody is nobody else's business, on the bus as well.
    @Test func `neither texts nor addresses can be read in the queue`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            _ = try await client.open(
                try await world.token(), text: "Секретный вопрос", extra: #", "email": "anna@example.org""#)
        }
        let jobs = try await world.owner.query("select job::text from queue.job").map { try $0.decode(String.self) }
        #expect(!jobs.isEmpty)
        for job in jobs { #expect(!job.contains("anna@") && !job.contains("Секретный") && !job.contains("Обращение")) }
        #expect(!CapturedLogs.text.contains("anna@") && !CapturedLogs.text.contains("Секретный"))
    }
}
