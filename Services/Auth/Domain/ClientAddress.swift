/// Where a request comes from, behind any number of proxies of our own.
struct ClientAddress: Hashable, Sendable {
    /// The networks of our own proxies; only what they say about the client is believed.
    let trustedProxies: Set<ClientNetwork>

    /// From the right of `X-Forwarded-For`, where each proxy appended whom it talked to, the first that is not ours.
    /// What stands left of it is the client's own invention.
    func network(peer: String?, forwardedFor: String?) -> ClientNetwork {
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
