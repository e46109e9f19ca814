import Glibc
import Testing

@testable import Club

@Suite struct LoopbackPortsTests {
    @Test func `a port that somebody listens on is refused by its number`() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isListening)
        let port = Int(UInt16(bigEndian: address.sin_port))
        let failure = #expect(throws: CommandFailure.self) { try LoopbackPorts.requireFree(port..<port + 1) }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("\(port)") == true)
    }
}
