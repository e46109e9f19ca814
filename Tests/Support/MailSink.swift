internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A real mail server that keeps what it gets: aiosmtpd (Debian's `python3-aiosmtpd`, or PyPI's `aiosmtpd`).
public struct MailSink: Sendable {
    /// Where it listens on 127.0.0.1.
    public let port: Int
    private let folder: String

    /// How the server behaves.
    public struct Manners: Sendable {
        /// Certificate and key, in files: offers STARTTLS and takes no mail without it.
        public var certificate: (file: String, key: String)?
        /// Takes mail only from whoever knows this password.
        public var login: (user: String, password: String)?

        /// In clear, from anybody.
        public init() {}
    }

    /// A mail as it was taken.
    public struct Mail: Decodable, Sendable {
        /// The envelope.
        public let from: String
        /// See ``from``.
        public let to: [String]
        /// The message with its headers, as the server's parser decoded them.
        public let subject: String
        /// The text.
        public let body: String
        /// Other headers by name.
        public let headers: [String: String]
        /// Whether it came encrypted.
        public let encrypted: Bool
    }

    private static let repository = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    private static var python: (program: String, path: String)? {
        let own = "\(Self.repository)/.build-tools/aiosmtpd"
        if access("\(own)/aiosmtpd", R_OK) == 0 { return ("python3", own) }
        let isPackage = access("/usr/lib/python3/dist-packages/aiosmtpd", R_OK) == 0
        return isPackage ? ("/usr/bin/python3", "") : nil
    }

    /// Whether the machine has one.
    public static var isInstalled: Bool { Self.python != nil }

    /// Runs one until the body returns. It refuses `nobody@…` for good and `later@…` for the moment; `slow@…` never hears whether
    /// its mail was taken.
    public static func run<R: Sendable>(
        _ manners: Manners = Manners(), _ body: @escaping @Sendable (MailSink) async throws -> R
    ) async throws -> R {
        guard let python = Self.python else { throw NeverHappened(description: "There is no aiosmtpd here") }
        let sink = MailSink(
            port: try FreePort.next(), folder: "/tmp/club-mail-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(atPath: sink.folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: sink.folder) }
        try Self.script.write(toFile: "\(sink.folder)/sink.py", atomically: false, encoding: .utf8)
        let words = [
            "PYTHONPATH=\(python.path)", python.program, "\(sink.folder)/sink.py", "\(sink.port)", sink.folder,
            manners.certificate?.file ?? "", manners.certificate?.key ?? "", manners.login?.user ?? "",
            manners.login?.password ?? "",
        ]
        return try await Subprocess.run(
            .path("/usr/bin/env"), arguments: Arguments(words), input: .none, output: .discarded, error: .discarded
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            try await eventually("the mail server listens") { access("\(sink.folder)/ready", F_OK) == 0 }
            return try await body(sink)
        }.closureResult
    }

    /// What it has taken so far, in order.
    public func mails() throws -> [Mail] {
        try FileManager.default.contentsOfDirectory(atPath: self.folder).filter { $0.hasSuffix(".json") }.sorted()
            .map { name in
                let data = try Data(contentsOf: URL(filePath: "\(self.folder)/\(name)"))
                return try JSONDecoder().decode(Mail.self, from: data)
            }
    }

    private static let script = """
        import asyncio, email, email.policy, json, os, ssl, sys
        from aiosmtpd.smtp import SMTP, AuthResult

        port, folder, certificate, key, user, password = sys.argv[1:7]

        class Handler:
            count = 0

            async def handle_RCPT(self, server, session, envelope, address, options):
                if address.startswith('nobody@'): return '550 5.1.1 No such mailbox'
                if address.startswith('later@'): return '451 4.3.0 Try again later'
                envelope.rcpt_tos.append(address)
                return '250 OK'

            async def handle_DATA(self, server, session, envelope):
                message = email.message_from_bytes(envelope.content, policy=email.policy.default)
                mail = {
                    'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'subject': message['subject'],
                    'body': message.get_content(), 'headers': {k: str(v) for k, v in message.items()},
                    'encrypted': session.ssl is not None}
                Handler.count += 1
                name = os.path.join(folder, '%06d' % Handler.count)
                with open(name + '.part', 'w') as file: json.dump(mail, file)
                os.rename(name + '.part', name + '.json')
                if envelope.rcpt_tos[0].startswith('slow@'): await asyncio.sleep(3600)
                return '250 OK'

        def authenticate(server, session, envelope, mechanism, data):
            right = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=right, handled=right)

        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)

        def make():
            return SMTP(
                Handler(), hostname='mail.example.org', enable_SMTPUTF8=False, tls_context=context,
                require_starttls=context is not None, auth_required=bool(user), auth_require_tls=True,
                authenticator=authenticate if user else None)

        async def main():
            server = await asyncio.get_running_loop().create_server(make, '127.0.0.1', int(port))
            open(os.path.join(folder, 'ready'), 'w').close()
            await server.serve_forever()

        asyncio.run(main())
        """
}
