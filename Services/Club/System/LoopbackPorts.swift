import Glibc

/// The ports that a system is about to take.
enum LoopbackPorts {
    /// Refuses ports that somebody listens on: whoever does would answer in the new system's place.
    /// - Throws: ``CommandFailure`` (69) that names the first.
    static func requireFree(_ ports: Range<Int>) throws {
        for port in ports where !Self.isFree(port) {
            throw CommandFailure(.unavailable, "Port \(port) is taken by another process: choose others with --port.")
        }
    }

    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // As the services do: what is left of closed connections does not keep a port.
        var isReused: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
