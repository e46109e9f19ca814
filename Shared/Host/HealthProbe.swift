internal import Glibc

/// Asks a service on this machine whether it is ready: what a container's health check runs, since a small image has no
/// program that speaks HTTP.
///
/// It blocks its thread, so it is for a process that does nothing else.
struct HealthProbe {
    let address: String
    let port: Int
    /// How long connecting, and each part of the answer, may take.
    var patience = 3

    /// - Parameters:
    ///   - bind: what the service listens on; "every address" means this machine's own.
    ///   - port: its port.
    init(bind: String, port: Int) {
        self.address =
            switch bind {
            case "0.0.0.0": "127.0.0.1"
            case "::": "::1"
            default: bind
            }
        self.port = port
    }

    private static let request = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    private static let success = Array("HTTP/1.1 200".utf8)

    /// Whether `/health/ready` answers 200 in time.
    func callAsFunction() -> Bool {
        guard let descriptor = self.connected() else { return false }
        defer { close(descriptor) }
        let request = Array(Self.request.utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return false
        }
        return Self.beginning(from: descriptor) == Self.success
    }

    /// As many bytes of the answer as say how it went; fewer when the other side ends or is too slow.
    private static func beginning(from descriptor: Int32) -> [UInt8] {
        var answer: [UInt8] = []
        while answer.count < Self.success.count {
            var buffer = [UInt8](repeating: 0, count: Self.success.count - answer.count)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer.prefix(count)
        }
        return answer
    }

    private func connected() -> Int32? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(self.address, "\(self.port)", &hints, &found) == 0, let place = found?.pointee else {
            return nil
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(place.ai_family, place.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), place.ai_protocol)
        guard descriptor >= 0 else { return nil }
        var limit = timeval(tv_sec: self.patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connect(descriptor, place.ai_addr, place.ai_addrlen) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
