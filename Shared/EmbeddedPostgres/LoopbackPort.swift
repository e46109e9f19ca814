internal import Glibc

/// TCP ports of 127.0.0.1.
enum LoopbackPort {
    /// The preferred port when nobody listens there, else one that the system chooses.
    static func free(preferring preferred: Int?) throws -> Int {
        if let preferred, let port = Self.tryBinding(preferred) { return port }
        guard let port = Self.tryBinding(0) else { throw ClusterPlace.refused("Finding a free port on 127.0.0.1") }
        return port
    }

    /// Binds and lets go again; nil when the port is taken. Another process may take it before we do: the start then
    /// fails with a sentence, and the next one chooses anew.
    private static func tryBinding(_ port: Int) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // As PostgreSQL does: connections of a stopped server that are still in TIME_WAIT do not count.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutableBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { addresses in
                bind(descriptor, addresses.baseAddress, length) == 0
                    && getsockname(descriptor, addresses.baseAddress, &length) == 0
            }
        }
        return bound ? Int(in_port_t(bigEndian: address.sin_port)) : nil
    }
}
