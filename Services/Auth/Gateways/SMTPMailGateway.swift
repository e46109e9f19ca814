import FoundationEssentials
import Kernel
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// Hands mails to a mail server by SMTP (RFC 5321), one connection each: STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954) where
/// they are set up, else in clear to a relay that stands beside.
struct SMTPMailGateway: MailGateway {
    struct Configuration: Sendable {
        let host: String
        let port: Int
        /// Whom mails come from; also where mails that cannot be delivered go back to.
        let from: EmailAddress
        /// Refuses to say anything in clear.
        let isEncrypted: Bool
        /// Both or none; said over an encrypted connection only.
        let user: String?
        let password: Secret?
        /// A file of certificates that are trusted instead of the system's; nil for those.
        var authorities: String?
    }

    /// How long one mail may take.
    private static let patience = Duration.seconds(20)

    let configuration: Configuration
    let clock: any WallClock

    init(_ configuration: Configuration, clock: any WallClock) {
        (self.configuration, self.clock) = (configuration, clock)
    }

    func send(_ mail: OutgoingMail, reference: UUID) async throws -> DeliveryState {
        let text = MailText.write(mail, from: self.configuration.from, reference: reference, at: self.clock.now)
        // From its last dot on the server may have the mail, whatever we hear.
        let isGiven = NIOLockedValueBox(false)
        do {
            try await self.limited {
                try await self.converse { session in
                    try await self.deliver(text, to: mail.recipient, isGiven: isGiven, &session)
                }
            }
            return .accepted
        } catch let failure as GatewayFailure {
            throw failure
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw isGiven.withLockedValue(\.self)
                ? GatewayFailure.unclear("smtp-silent") : GatewayFailure.unavailable("smtp-unreachable")
        }
    }

    private struct TooSlow: Error {}

    private func limited(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                throw TooSlow()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func converse(_ body: (inout SMTPSession) async throws -> Void) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: self.configuration.host, port: self.configuration.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            var session = SMTPSession(
                inbound: inbound.makeAsyncIterator(), outbound: outbound, channel: channel.channel)
            try await body(&session)
        }
    }

    private func deliver(
        _ text: String, to recipient: EmailAddress, isGiven: NIOLockedValueBox<Bool>, _ session: inout SMTPSession
    ) async throws {
        try Self.check(try await session.reply(), 220, "greeting")
        try await self.introduce(&session)
        try Self.check(try await session.say("MAIL FROM:<\(self.configuration.from.address)>"), 250, "mail")
        try Self.check(try await session.say("RCPT TO:<\(recipient.address)>"), 250...251, "rcpt", isOfMessage: true)
        try Self.check(try await session.say("DATA"), 354, "data", isOfMessage: true)
        isGiven.withLockedValue { $0 = true }
        let reply = try await session.say(MailText.stuffed(text) + ".")
        // An answer, whichever: now it is clear.
        isGiven.withLockedValue { $0 = false }
        try Self.check(reply, 250, "text", isOfMessage: true)
        // The mail is the server's already; whether it says goodbye is of no interest.
        _ = try? await session.say("QUIT")
    }

    /// Says who we are, encrypted and with a password where that is set up.
    private func introduce(_ session: inout SMTPSession) async throws {
        let hello = "EHLO \(self.configuration.from.address.drop { $0 != "@" }.dropFirst())"
        var offered = try await session.say(hello)
        try Self.check(offered, 250, "ehlo")
        if self.configuration.isEncrypted {
            guard offered.offers("STARTTLS") else { throw GatewayFailure.unavailable("smtp-no-starttls") }
            try Self.check(try await session.say("STARTTLS"), 220, "starttls")
            try await session.encrypt(
                for: self.configuration.host, context: try Self.context(self.configuration.authorities))
            // What was offered in clear may have been anybody's offer (RFC 3207, 4.2).
            offered = try await session.say(hello)
            try Self.check(offered, 250, "ehlo")
        }
        guard let user = self.configuration.user, let password = self.configuration.password else { return }
        guard offered.offersPlainAuthentication() else { throw GatewayFailure.unavailable("smtp-no-auth") }
        let word = Data([0] + Array(user.utf8) + [0] + password.reveal()).base64EncodedString()
        try Self.check(try await session.say("AUTH PLAIN \(word)"), 235, "auth")
    }

    private static func context(_ authorities: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities { configuration.trustRoots = .file(authorities) }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func check(_ reply: SMTPReply, _ expected: Int, _ step: String, isOfMessage: Bool = false) throws {
        try Self.check(reply, expected...expected, step, isOfMessage: isOfMessage)
    }

    /// - Parameter isOfMessage: whether a lasting refusal at this step is about the message rather than about us.
    private static func check(
        _ reply: SMTPReply, _ expected: ClosedRange<Int>, _ step: String, isOfMessage: Bool = false
    ) throws {
        guard !expected.contains(reply.code) else { return }
        let code = "smtp-\(step)-\(reply.code)"
        throw isOfMessage && reply.code >= 500 ? GatewayFailure.refused(code) : GatewayFailure.unavailable(code)
    }
}

/// A conversation with a mail server, line by line.
struct SMTPSession {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let channel: any Channel
    private var buffer = ByteBuffer()

    /// Bytes that a line may have: RFC 5321, 4.5.3.1.5 says 512, servers say more.
    private static let lineMax = 4096

    /// The server hung up.
    struct Ended: Error {}

    init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, channel: any Channel
    ) {
        (self.inbound, self.outbound, self.channel) = (inbound, outbound, channel)
    }

    /// Says a line, or a text of many that ends in none, and waits for the answer.
    mutating func say(_ line: String) async throws -> SMTPReply {
        try await self.outbound.write(ByteBuffer(string: line + "\r\n"))
        return try await self.reply()
    }

    mutating func reply() async throws -> SMTPReply {
        var reader = SMTPReply.Reader()
        while true {
            if let reply = try reader.take(try await self.line()) { return reply }
        }
    }

    private mutating func line() async throws -> String {
        while true {
            if let end = self.buffer.readableBytesView.firstIndex(of: 0x0a) {
                let length = end - self.buffer.readableBytesView.startIndex
                let line = self.buffer.readString(length: length) ?? ""
                self.buffer.moveReaderIndex(forwardBy: 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            guard self.buffer.readableBytes <= Self.lineMax else { throw SMTPReply.Malformed() }
            guard var more = try await self.inbound.next(isolation: #isolation) else { throw Ended() }
            self.buffer.writeBuffer(&more)
        }
    }

    /// Encrypts everything from here on. Whatever came in clear behind the last answer is somebody else's and ends the
    /// conversation (CVE-2011-0411).
    func encrypt(for host: String, context: NIOSSLContext) async throws {
        guard self.buffer.readableBytes == 0 else { throw SMTPReply.Malformed() }
        let channel = self.channel
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        try await channel.eventLoop.submit {
            let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }.get()
    }
}
