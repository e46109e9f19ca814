import FoundationEssentials
import Glibc
import NIOConcurrencyHelpers
import TestSupport

@testable import Postgres

/// A Unix socket in front of the server that can fall silent: what a cut-off host or a dead balancer looks like. No end
/// of the connection is reported to either side.
final class SilentProxy: Sendable {
    private struct State {
        var isSilent = false
        var isStopped = false
        var refuses = false
    }

    /// The host of a connection string that goes through the proxy.
    let folder: String
    private let listener: Int32
    private let target: ConnectionString.Host
    private let state = NIOLockedValueBox(State())

    /// - Parameter conninfo: of the server.
    init(to conninfo: String) throws {
        let hosts = try ConnectionString(DatabaseConfiguration(conninfo: conninfo)).hosts
        guard let target = hosts.first else {
            throw DatabaseError(.invalidConfiguration, context: "the server's address is not given")
        }
        self.target = target
        self.folder = "/tmp/silent-\(UUID().uuidString.prefix(8).lowercased())"
        mkdir(self.folder, 0o700)
        self.listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = withUnixAddress(self.folder + "/.s.PGSQL.5432") { bind(self.listener, $0, $1) }
        guard bound == 0, listen(self.listener, 16) == 0 else {
            throw DatabaseError(systemCall: "listen", errno: errno)
        }
        try startThread { self.accept() }
    }

    /// Told each time somebody was turned away.
    let refused = Signal<Void>()

    /// Whether whoever comes is turned away.
    func refuse(_ refuses: Bool) {
        self.state.withLockedValue { $0.refuses = refuses }
    }

    /// From now on nothing passes, in either direction, and nobody is told.
    func fallSilent() {
        self.state.withLockedValue { $0.isSilent = true }
    }

    func stop() {
        self.state.withLockedValue { $0.isStopped = true }
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
        unlink(self.folder + "/.s.PGSQL.5432")
        rmdir(self.folder)
    }

    private func accept() {
        while true {
            let client = Glibc.accept(self.listener, nil, nil)
            guard client >= 0 else { return }
            if self.state.withLockedValue({ $0.refuses }) {
                close(client)
                self.refused.send()
                continue
            }
            let server = self.connectToServer()
            guard server >= 0 else {
                close(client)
                continue
            }
            try? startThread { self.pump(client, server) }
        }
    }

    private func connectToServer() -> Int32 {
        if self.target.name.hasPrefix("/") {
            let port = self.target.port.isEmpty ? "5432" : self.target.port
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let status = withUnixAddress("\(self.target.name)/.s.PGSQL.\(port)") { connect(descriptor, $0, $1) }
            return status == 0 ? descriptor : -1
        }
        var list: UnsafeMutablePointer<addrinfo>?
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        guard getaddrinfo(self.target.name, self.target.port, &hints, &list) == 0, let entry = list else { return -1 }
        defer { freeaddrinfo(list) }
        let descriptor = socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
        return connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 ? descriptor : -1
    }

    private func pump(_ client: Int32, _ server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        defer {
            close(client)
            close(server)
        }
        while !self.state.withLockedValue({ $0.isStopped }) {
            let isSilent = self.state.withLockedValue { $0.isSilent }
            var polled = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            // Silence still looks now and then whether the test is over.
            guard poll(&polled, isSilent ? 0 : 2, 20) >= 0 else { return }
            if isSilent { continue }
            for (from, to, ready) in [(client, server, polled[0].revents), (server, client, polled[1].revents)]
            where ready != 0 {
                let count = read(from, &buffer, buffer.count)
                guard count > 0, !self.state.withLockedValue({ $0.isSilent }) else {
                    if count > 0 { break }
                    return
                }
                guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }
}

private func withUnixAddress<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}
