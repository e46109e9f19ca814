import Glibc
import Kernel

/// The network that asks: an IPv4 /24 or an IPv6 /64, the smallest that a provider hands to one customer.
struct ClientNetwork: Masked, Hashable, Sendable {
    /// Address family and network bits; only ever stored as an HMAC.
    let bytes: [UInt8]

    /// From an address in text, IPv4, IPv6 or IPv4 mapped into IPv6; nil when it is neither.
    init?(address: String) {
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
    static let unknown = ClientNetwork(bytes: [])

    /// An address is personal data, so it does not print.
    var description: String { "network" }
}
