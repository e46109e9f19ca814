import FoundationEssentials

/// What a system with a demo is told beside what every system is. What the operator's environment says goes before it.
struct DemoSettings: Sendable {
    /// Where the partners of the demo answer.
    let simulator: String

    /// All of the demo's people sit at one machine: what protects phones from a stranger's network would end the demo after
    /// ten codes.
    private static let quotas = [
        "CLUB_AUTH_NETWORK_HOUR": "10000", "CLUB_AUTH_NETWORK_PHONES": "10000", "CLUB_AUTH_PREFIX_HOUR": "10000",
    ]
    /// The hosts that partners may be reached at.
    private static let hosts = "CLUB_PARTNERS_EXCHANGE_HOSTS"

    func added(
        to settings: [String: String], environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String: String] {
        var added = settings
        for (name, value) in Self.quotas where environment[name] == nil { added[name] = value }
        let host = String(self.simulator.trimmingPrefix("http://"))
        let known = environment[Self.hosts].map { [$0] } ?? []
        added[Self.hosts] = (known.filter { $0 != "none" } + [host]).joined(separator: ",")
        return added
    }
}
