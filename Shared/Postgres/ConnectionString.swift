internal import CPostgres
internal import Glibc
internal import Kernel

/// libpq's settings for one attempt to connect: what the operator wrote, with the house's defaults where nothing was.
struct ConnectionString: Sendable {
    private(set) var values: [String: String]
    /// The hosts in the order they are tried. Empty when libpq is to find its default.
    private(set) var hosts: [Host]
    let connectTimeout: Duration

    struct Host: Sendable, Equatable {
        var name: String
        var address: String
        var port: String

        /// A directory of a Unix socket (or an abstract one) is no name to look up.
        var needsLookup: Bool {
            self.address.isEmpty && !self.name.isEmpty && !self.name.hasPrefix("/") && !self.name.hasPrefix("@")
        }
    }

    /// - Throws: `DatabaseError` (`invalid-configuration`) without quoting the string, which may hold a password.
    init(_ configuration: DatabaseConfiguration) throws {
        var values = try Self.parse(configuration.conninfo)
        if let user = configuration.user { values["user"] = user }
        if let password = configuration.password { values["password"] = password.text }
        values["application_name"] = configuration.applicationName
        values["client_encoding"] = "UTF8"
        values["options"] = Self.options(values["options"], configuration)
        // A cut-off host is noticed in about three seconds instead of minutes.
        let defaults = [
            "keepalives": "1", "keepalives_idle": "1", "keepalives_interval": "1", "keepalives_count": "3",
            "tcp_user_timeout": "5000", "gssencmode": "disable",
        ]
        values.merge(defaults) { written, _ in written }
        // libpq leaves this one to the caller of PQconnectPoll.
        if let text = values["connect_timeout"], let seconds = Int64(text), seconds > 0 {
            self.connectTimeout = .seconds(seconds)
        } else {
            self.connectTimeout = configuration.connectTimeout
        }
        self.hosts = try Self.hosts(values)
        for key in ["host", "hostaddr", "port"] where !self.hosts.isEmpty { values[key] = nil }
        self.values = values
    }

    private static func parse(_ text: String) throws -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            PQfreemem(message)
            throw DatabaseError(.invalidConfiguration, context: "the connection string cannot be read")
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return values
    }

    /// The server's own limits go into the start packet: no round trip, and no session without them.
    private static func options(_ written: String?, _ configuration: DatabaseConfiguration) -> String {
        let house = [
            "-c statement_timeout=\(configuration.statementTimeout.milliseconds)",
            "-c lock_timeout=\(configuration.lockTimeout.milliseconds)",
            "-c idle_in_transaction_session_timeout=\(configuration.idleInTransactionTimeout.milliseconds)",
            "-c timezone=UTC",
        ]
        // What the operator wrote comes last and so wins.
        return (house + [written ?? ""]).joined(separator: " ")
    }

    private static func hosts(_ values: [String: String]) throws -> [Host] {
        func list(_ key: String) -> [String] {
            guard let text = values[key], !text.isEmpty else { return [] }
            return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let count = max(names.count, addresses.count)
        guard names.isEmpty || addresses.isEmpty || names.count == addresses.count,
            ports.count <= 1 || ports.count == max(count, 1)
        else {
            throw DatabaseError(.invalidConfiguration, context: "host, hostaddr and port do not match in number")
        }
        return (0..<count).map { index in
            Host(
                name: index < names.count ? names[index] : "",
                address: index < addresses.count ? addresses[index] : "",
                port: ports.count == 1 ? ports[0] : (index < ports.count ? ports[index] : ""))
        }
    }

    /// The same settings for other hosts: names looked up, or only those that are left.
    func with(hosts: [Host]) -> ConnectionString {
        var copy = self
        copy.hosts = hosts
        return copy
    }

    /// Starts libpq's non-blocking connect. The names are looked up already, so this does not block.
    func start() -> OpaquePointer? {
        var values = self.values
        if !self.hosts.isEmpty {
            values["host"] = self.hosts.map(\.name).joined(separator: ",")
            values["hostaddr"] = self.hosts.map(\.address).joined(separator: ",")
            values["port"] = self.hosts.map(\.port).joined(separator: ",")
        }
        let pairs = Array(values)
        let keywords = pairs.map { strdup($0.key) }
        let texts = pairs.map { strdup($0.value) }
        defer {
            for text in keywords + texts { free(text) }
        }
        let keywordPointers = keywords.map { UnsafePointer($0) } + [nil]
        let valuePointers = texts.map { UnsafePointer($0) } + [nil]
        return PQconnectStartParams(keywordPointers, valuePointers, 0)
    }

    /// Looks the names up. Blocks: not for the reactor's thread.
    func resolved() -> ConnectionString {
        self.with(hosts: self.hosts.flatMap { $0.needsLookup ? lookup($0) : [$0] })
    }
}

/// Every address of a name, in the resolver's order. A name that cannot be found stays: libpq then says so.
private func lookup(_ host: ConnectionString.Host) -> [ConnectionString.Host] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host.name, nil, &hints, &list) == 0 else { return [host] }
    defer { freeaddrinfo(list) }
    var found: [ConnectionString.Host] = []
    var entry = list
    while let current = entry {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(
            current.pointee.ai_addr, current.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        if status == 0 {
            var copy = host
            copy.address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            found.append(copy)
        }
        entry = current.pointee.ai_next
    }
    return found.isEmpty ? [host] : found
}
