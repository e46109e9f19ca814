/// The prepared statements of one connection: the least recently used ones give way. Pure: it says what to prepare and
/// what to forget, the connection does it.
struct StatementCache {
    struct Key: Hashable {
        let text: String
        let types: [UInt32]
    }

    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    let limit: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var lastName: UInt64 = 0
    /// Names that the server still knows and that must be deallocated with the next statement that is prepared.
    private(set) var stale: [String] = []

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    var count: Int { self.entries.count }

    /// The name under which the server knows the statement.
    mutating func name(for key: Key) -> String? {
        self.uses += 1
        guard let index = self.entries.index(forKey: key) else { return nil }
        self.entries.values[index].lastUse = self.uses
        return self.entries.values[index].name
    }

    mutating func makeName() -> String {
        self.lastName += 1
        return "s\(self.lastName)"
    }

    /// The server has prepared a statement.
    mutating func insert(_ key: Key, name: String) {
        self.uses += 1
        if let old = self.entries.updateValue(Entry(name: name, lastUse: self.uses), forKey: key) {
            self.stale.append(old.name)
        }
        guard self.entries.count > self.limit,
            let oldest = self.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return }
        self.entries[oldest.key] = nil
        self.stale.append(oldest.value.name)
    }

    /// The server no longer accepts a statement.
    mutating func invalidate(_ key: Key) {
        guard let entry = self.entries.removeValue(forKey: key) else { return }
        self.stale.append(entry.name)
    }

    /// The server has deallocated a statement, or says that it never had it.
    mutating func deallocated(_ name: String) {
        self.stale.removeAll { $0 == name }
    }
}
