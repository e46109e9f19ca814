import Foundation
import Glibc
import NIOConcurrencyHelpers

/// The network between one worker and the server: a port that passes everything on, and that can fall silent without a word
/// to either side, as a cut-off host or a dead balancer does. Both ends believe that their connections are open.
final class Relay: Sendable {
    private struct State {
        var isSilent = false
        var forgets = false
        var isClosed = false
    }

    struct CannotListen: Error {}

    /// Where the worker connects, on 127.0.0.1.
    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = NIOLockedValueBox(State())

    /// - Parameter target: the server's port, on 127.0.0.1.
    init(to target: Int) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var address = Self.loopback(0)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 64) | getsockname(listener, $0, &length)
            }
        }
        (self.target, self.listener, self.port) = (target, listener, Int(UInt16(bigEndian: address.sin_port)))
        guard listener >= 0, status == 0 else { throw CannotListen() }
        Thread.detachNewThread { self.run() }
    }

    /// From now on nothing passes, and who comes is not let in.
    func fallSilent() {
        self.state.withLockedValue { $0.isSilent = true }
    }

    /// What was sent meanwhile passes; or all connections are lost, and both sides hear of it only now.
    func speak(forgetting: Bool) {
        self.state.withLockedValue {
            $0.isSilent = false
            $0.forgets = forgetting
        }
    }

    func close() {
        self.state.withLockedValue { $0.isClosed = true }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// One thread for all connections of a worker. What it sends may block: then it is the worker that does not read.
    private func run() {
        var pairs: [(client: Int32, server: Int32)] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        func drop(_ index: Int) {
            Glibc.close(pairs[index].client)
            Glibc.close(pairs[index].server)
            pairs.remove(at: index)
        }
        while true {
            let state = self.state.withLockedValue { state in
                defer { state.forgets = false }
                return state
            }
            if state.forgets || state.isClosed { while !pairs.isEmpty { drop(0) } }
            if state.isClosed { break }
            guard !state.isSilent else {
                poll(nil, 0, 20)
                continue
            }
            var polled = [pollfd(fd: self.listener, events: Int16(POLLIN), revents: 0)]
            for pair in pairs {
                polled.append(pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0))
                polled.append(pollfd(fd: pair.server, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&polled, UInt(polled.count), 20) > 0 else { continue }
            for index in pairs.indices.reversed() {
                let (client, server) = pairs[index]
                let (asks, answers) = (polled[1 + 2 * index].revents != 0, polled[2 + 2 * index].revents != 0)
                let isOpen =
                    (!asks || Self.pass(client, server, &buffer)) && (!answers || Self.pass(server, client, &buffer))
                if !isOpen { drop(index) }
            }
            if polled[0].revents != 0, let pair = self.letIn() { pairs.append(pair) }
        }
        Glibc.close(self.listener)
    }

    private func letIn() -> (Int32, Int32)? {
        let client = accept(self.listener, nil, nil)
        guard client >= 0, fcntl(client, F_SETFD, FD_CLOEXEC) == 0 else { return nil }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = Self.loopback(self.target)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var isOn: Int32 = 1
        for descriptor in [client, server] {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        }
        if status == 0 { return (client, server) }
        Glibc.close(client)
        Glibc.close(server)
        return nil
    }

    /// - Returns: false when one of both is gone.
    private static func pass(_ from: Int32, _ to: Int32, _ buffer: inout [UInt8]) -> Bool {
        let count = recv(from, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        return count > 0 && send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count
    }
}
