import Contracts
import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Auth

/// E-mail to a real mail server.
@Suite(.capturedLogs, .enabled(if: MailSink.isInstalled)) struct SMTPTests {
    private let clock = ManualClock()

    private func gateway(
        _ sink: MailSink, isEncrypted: Bool = false, user: String? = nil, password: String? = nil,
        authorities: String? = nil
    ) throws -> SMTPMailGateway {
        SMTPMailGateway(
            SMTPMailGateway.Configuration(
                host: isEncrypted ? "localhost" : "127.0.0.1", port: sink.port,
                from: try #require(EmailAddress("club@club.example")), isEncrypted: isEncrypted, user: user,
                password: password.map { Secret($0) }, authorities: authorities),
            clock: self.clock)
    }

    private func mail(to recipient: String = "anna@example.org", body: String = "Здравствуйте!") throws -> OutgoingMail
    {
        OutgoingMail(
            recipient: try #require(EmailAddress(recipient)), subject: "Ответ на обращение № 17: баллы начислены",
            body: body, replyTo: EmailAddress("ticket-17@club.example"),
            messageID: "17.2@club.example", inReplyTo: "CAF12@mail.example.org")
    }

    @Test func `a mail arrives as it was written, with its place in the conversation`() async throws {
        try await MailSink.run { sink in
            let body = "Здравствуйте!\n.\n..точки в начале строки\n\nБаллы на месте 🎉"
            #expect(try await self.gateway(sink).send(try self.mail(body: body), reference: UUID()) == .accepted)
            let taken = try sink.mails()
            let mail = try #require(taken.first)
            #expect(taken.count == 1 && mail.from == "club@club.example" && mail.to == ["anna@example.org"])
            #expect(mail.subject == "Ответ на обращение № 17: баллы начислены")
            #expect(mail.body.replacing("\r\n", with: "\n") == body)
            #expect(mail.headers["Reply-To"] == "ticket-17@club.example")
            #expect(mail.headers["Message-ID"] == "<17.2@club.example>")
            #expect(mail.headers["In-Reply-To"] == "<CAF12@mail.example.org>")
            #expect(!mail.encrypted)
        }
    }

    @Test func `a mailbox that is not there is final, a server that says later is not`() async throws {
        try await MailSink.run { sink in
            let gateway = try self.gateway(sink)
            await #expect(throws: GatewayFailure.refused("smtp-rcpt-550")) {
                try await gateway.send(try self.mail(to: "nobody@example.org"), reference: UUID())
            }
            await #expect(throws: GatewayFailure.unavailable("smtp-rcpt-451")) {
                try await gateway.send(try self.mail(to: "later@example.org"), reference: UUID())
            }
            #expect(try sink.mails().isEmpty)
        }
    }

    @Test func `a server that is away took nothing, and of one that falls silent after the text it is not clear`()
        async throws
    {
        try await MailSink.run { sink in
            let gateway = try self.gateway(sink)
            await #expect(throws: GatewayFailure.unclear("smtp-silent")) {
                try await gateway.send(try self.mail(to: "slow@example.org"), reference: UUID())
            }
            #expect(try sink.mails().count == 1)
        }
        let gone = SMTPMailGateway(
            SMTPMailGateway.Configuration(
                host: "127.0.0.1", port: try FreePort.next(), from: try #require(EmailAddress("club@club.example")),
                isEncrypted: false, user: nil, password: nil), clock: self.clock)
        await #expect(throws: GatewayFailure.unavailable("smtp-unreachable")) {
            try await gone.send(try self.mail(), reference: UUID())
        }
    }

    @Test func `with STARTTLS nothing is said in clear, the server must be who it is, and the password is checked`()
        async throws
    {
        let folder = "/tmp/club-mail-tls-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (certificate, key) = ("\(folder)/server.crt", "\(folder)/server.key")
        let made = try await ClubShell(data: "/nonexistent").run(
            "openssl",
            [
                "req", "-x509", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                certificate,
            ])
        try #require(made.code == 0)
        var manners = MailSink.Manners()
        manners.certificate = (certificate, key)
        manners.login = ("club", "s3cr3t")
        try await MailSink.run(manners) { sink in
            let right = try self.gateway(
                sink, isEncrypted: true, user: "club", password: "s3cr3t", authorities: certificate)
            #expect(try await right.send(try self.mail(), reference: UUID()) == .accepted)
            #expect(try sink.mails().map(\.encrypted) == [true])
            let wrong = try self.gateway(
                sink, isEncrypted: true, user: "club", password: "wrong", authorities: certificate)
            await #expect(throws: GatewayFailure.unavailable("smtp-auth-535")) {
                try await wrong.send(try self.mail(), reference: UUID())
            }
            // A certificate that nobody we trust has signed.
            let stranger = try self.gateway(sink, isEncrypted: true, user: "club", password: "s3cr3t")
            await #expect(throws: GatewayFailure.unavailable("smtp-unreachable")) {
                try await stranger.send(try self.mail(), reference: UUID())
            }
            #expect(try sink.mails().count == 1)
        }
        // A server that offers no encryption gets nothing.
        _ = try await MailSink.run { sink in
            await #expect(throws: GatewayFailure.unavailable("smtp-no-starttls")) {
                try await self.gateway(sink, isEncrypted: true).send(try self.mail(), reference: UUID())
            }
        }
        #expect(!CapturedLogs.text.contains("s3cr3t"))
    }
}
