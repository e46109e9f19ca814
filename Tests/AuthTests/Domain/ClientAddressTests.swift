import Testing

@testable import Auth

@Suite struct ClientAddressTests {
    private func network(_ address: String) throws -> ClientNetwork { try #require(ClientNetwork(address: address)) }

    @Test(
        arguments: [
            ("198.51.100.7", nil, "198.51.100.7"), ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
            ("10.0.0.5", "203.0.113.9", "203.0.113.9"), ("10.0.0.5", "192.0.2.1, 203.0.113.9", "203.0.113.9"),
            ("10.0.0.5", "203.0.113.9, 10.0.0.6", "203.0.113.9"), ("10.0.0.5", nil, "10.0.0.5"),
            ("10.0.0.5", "10.0.0.9", "10.0.0.5"),
        ] as [(String, String?, String)])
    func `only what our own proxies say about the client is believed`(
        peer: String, forwarded: String?, expected: String
    ) throws {
        let address = ClientAddress(trustedProxies: [try self.network("10.0.0.0")])
        #expect(try address.network(peer: peer, forwardedFor: forwarded) == self.network(expected))
    }

    @Test func `an unreadable address is the unknown network, not a free pass`() throws {
        let address = ClientAddress(trustedProxies: [try self.network("10.0.0.0")])
        #expect(address.network(peer: nil, forwardedFor: "203.0.113.9") == .unknown)
        #expect(address.network(peer: "10.0.0.1", forwardedFor: "203.0.113.9, nonsense") == .unknown)
    }
}
