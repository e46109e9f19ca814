import HTTPTypes
public import Hummingbird
public import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a request comes from, behind any number of proxies of our own.
public struct ClientAddress: Hashable, Sendable {
    /// The networks of our own proxies; only what they say about the client is believed.
    public let trustedProxies: Set<ClientNetwork>

    /// - Parameter trustedProxies: the networks of our own proxies.
    public init(trustedProxies: Set<ClientNetwork>) { self.trustedProxies = trustedProxies }

    /// Reads addresses with commas between them, each for its network, or `none`; nil for anything else.
    public init?(parsing text: String) {
        guard text != "none" else {
            self.init(trustedProxies: [])
            return
        }
        let networks = text.split(separator: ",").map { ClientNetwork(address: String($0.filter { $0 != " " })) }
        guard !networks.isEmpty, networks.allSatisfy({ $0 != nil }) else { return nil }
        self.init(trustedProxies: Set(networks.compactMap(\.self)))
    }

    /// The network that a request comes from.
    public func network(of request: Request, _ context: ClubRequestContext) -> ClientNetwork {
        // Not standardised, but what proxies send.
        let forwarded = HTTPField.Name("X-Forwarded-For").flatMap { request.headers[$0] }
        return self.network(peer: context.peerAddress, forwardedFor: forwarded)
    }

    /// From the right of `X-Forwarded-For`, where each proxy appended whom it talked to, the first that is not ours.
    /// What stands left of it is the client's own invention.
    public func network(peer: String?, forwardedFor: String?) -> ClientNetwork {
        guard let peer, let direct = ClientNetwork(address: peer) else { return .unknown }
        guard self.trustedProxies.contains(direct) else { return direct }
        let chain = (forwardedFor ?? "").split(separator: ",").reversed()
        for address in chain {
            let text = String(address.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard let network = ClientNetwork(address: text) else { return .unknown }
            if !self.trustedProxies.contains(network) { return network }
        }
        return direct
    }
}

/// The network that asks: an IPv4 /24 or an IPv6 /64, the smallest that a provider hands to one customer.
public struct ClientNetwork: Masked, Hashable, Sendable {
    /// Address family and network bits; only ever stored as an HMAC.
    public let bytes: [UInt8]

    /// From an address in text, IPv4, IPv6 or IPv4 mapped into IPv6; nil when it is neither.
    public init?(address: String) {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 {
            self.bytes = [4] + withUnsafeBytes(of: four) { Array($0.prefix(3)) }
            return
        }
        var six = in6_addr()
        // A zone ("%eth0") belongs to this machine, not to the network asked from.
        let unscoped = address.split(separator: "%", maxSplits: 1).first.map(String.init) ?? address
        guard inet_pton(AF_INET6, unscoped, &six) == 1 else { return nil }
        let all = withUnsafeBytes(of: six) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        self.bytes = all.starts(with: mapped) ? [4] + all[12..<15] : [6] + all[..<8]
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Where the address is unknown (a unix socket, a proxy that says nothing): all of these share one quota.
    public static let unknown = ClientNetwork(bytes: [])

    /// An address is personal data, so it does not print.
    public var description: String { "network" }
}
