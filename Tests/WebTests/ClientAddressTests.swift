import Testing
import Web

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

@Suite struct ClientNetworkTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.254", true), ("192.0.2.1", "192.0.3.1", false), ("192.0.2.1", "::ffff:192.0.2.9", true),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true), ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("fe80::1%eth0", "fe80::2", true), ("::1", "127.0.0.1", false),
    ])
    func `addresses of one /24 or /64 are one network`(one: String, other: String, isSame: Bool) throws {
        let networks = (try #require(ClientNetwork(address: one)), try #require(ClientNetwork(address: other)))
        #expect((networks.0 == networks.1) == isSame)
    }

    @Test(arguments: ["", "localhost", "192.0.2", "192.0.2.1.5", "::g", "%eth0"])
    func `what is no address is no network`(text: String) {
        #expect(ClientNetwork(address: text) == nil)
    }
}
