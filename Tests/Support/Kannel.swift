internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A real Kannel with its fake SMS centre: bearerbox, smsbox and fakesmsc (the Debian packages `kannel` and `kannel-extras`).
public struct Kannel: Sendable {
    /// The address of `sendsms`.
    public let address: String
    /// The user and the password of `sendsms`.
    public static let user = "club"
    /// See ``user``.
    public static let password = "club-password"
    private let log: String

    private static let boxes = ["/usr/sbin/bearerbox", "/usr/sbin/smsbox", "/usr/lib/kannel/test/fakesmsc"]

    /// Whether the machine has all three programs.
    public static var isInstalled: Bool { Self.boxes.allSatisfy { access($0, X_OK) == 0 } }

    /// Runs one until the body returns.
    /// - Parameters:
    ///   - incoming: where messages from phones are told; the beginning of an address.
    ///   - message: what a phone sends twice a second, since it may be early, in the form of fakesmsc:
    ///     `79161234567 club ucs2 %04%21`; nil for nothing.
    ///   - hasCentre: without the fake centre Kannel keeps what it is given.
    public static func run<R: Sendable>(
        incoming: String, message: String? = nil, hasCentre: Bool = true,
        _ body: @escaping @Sendable (Kannel) async throws -> R
    ) async throws -> R {
        guard Self.isInstalled else { throw NeverHappened(description: "There is no kannel here") }
        let folder = "/tmp/club-kannel-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let ports = try (0..<4).map { _ in try FreePort.next() }
        try Self.write(ports, incoming: incoming, to: folder)
        let kannel = Kannel(
            address: "http://127.0.0.1:\(ports[3])/cgi-bin/sendsms", log: "\(folder)/centre.log")
        return try await Self.box("exec \(Self.boxes[0]) \(folder)/kannel.conf >\(folder)/bearerbox.log 2>&1") {
            try await eventually("bearerbox listens") { FreePort.isTaken(ports[1]) && FreePort.isTaken(ports[2]) }
            return try await Self.box("exec \(Self.boxes[1]) \(folder)/kannel.conf >\(folder)/smsbox.log 2>&1") {
                try await eventually("smsbox listens") { FreePort.isTaken(ports[3]) }
                guard hasCentre else { return try await body(kannel) }
                let sends = message.map { "-i 0.5 -m 60 '\($0)'" } ?? "-m 0 '1 2 text x'"
                return try await Self.box(
                    "exec \(Self.boxes[2]) -H 127.0.0.1 -r \(ports[2]) \(sends) >\(kannel.log) 2>&1"
                ) {
                    try await eventually("the centre is there") { try kannel.centreLog().contains("starting") }
                    return try await body(kannel)
                }
            }
        }
    }

    /// What the fake centre says it got, each as `sender receiver type text`.
    public func received() throws -> [String] {
        try self.centreLog().split(separator: "\n").compactMap { line in
            guard line.contains("Got message "), let open = line.lastIndex(of: "<") else { return nil }
            return String(line[line.index(after: open)...].dropLast())
        }
    }

    private func centreLog() throws -> String {
        guard let data = FileManager.default.contents(atPath: self.log) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func box<R: Sendable>(
        _ command: String, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await Subprocess.run(
            .path("/bin/sh"), arguments: ["-c", command], input: .none, output: .discarded, error: .discarded
        ) { execution in
            // Its manners on SIGTERM are to drain for a while; nobody waits for that here.
            defer { try? execution.send(signal: .kill) }
            return try await body()
        }.closureResult
    }

    private static func write(_ ports: [Int], incoming: String, to folder: String) throws {
        try """
        group = core
        admin-port = \(ports[0])
        admin-interface = 127.0.0.1
        admin-password = \(Self.password)
        smsbox-port = \(ports[1])
        smsbox-interface = 127.0.0.1
        dlr-storage = internal

        group = smsc
        smsc = fake
        smsc-id = fake
        port = \(ports[2])
        connect-allow-ip = 127.0.0.1

        group = smsbox
        bearerbox-host = 127.0.0.1
        bearerbox-port = \(ports[1])
        sendsms-port = \(ports[3])
        sendsms-interface = 127.0.0.1
        global-sender = club

        group = sendsms-user
        username = \(Self.user)
        password = \(Self.password)
        max-messages = 10
        concatenation = true

        group = sms-service
        keyword = default
        catch-all = true
        max-messages = 0
        get-url = "\(incoming)?from=%p&coding=%c&text=%b"

        """.write(toFile: "\(folder)/kannel.conf", atomically: false, encoding: .utf8)
    }
}

/// Ports of this machine for programs that cannot be told to take any free one.
public enum FreePort {
    /// A port that was free a moment ago.
    public static func next() throws -> Int {
        try Self.withSocket { descriptor in
            guard Self.bind(descriptor, to: 0) else { throw NeverHappened(description: "No port is free") }
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = getsockname(descriptor, $0, &length)
                }
            }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    /// Whether somebody listens there.
    public static func isTaken(_ port: Int) -> Bool {
        (try? Self.withSocket { !Self.bind($0, to: port) }) ?? false
    }

    private static func withSocket<R>(_ body: (Int32) throws -> R) throws -> R {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw NeverHappened(description: "No socket") }
        defer { close(descriptor) }
        return try body(descriptor)
    }

    private static func bind(_ descriptor: Int32, to port: Int) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
