import Testing

@testable import Postgres

@Suite struct StatementCacheTests {
    private func key(_ text: String, _ types: [UInt32] = []) -> StatementCache.Key {
        StatementCache.Key(text: text, types: types)
    }

    @Test func `a statement is found by its text and the types of its parameters`() {
        var cache = StatementCache(limit: 4)
        cache.insert(self.key("select $1", [20]), name: "s1")
        #expect(cache.name(for: self.key("select $1", [20])) == "s1")
        #expect(cache.name(for: self.key("select $1", [25])) == nil)
    }

    @Test func `the one not used for longest gives way and is to be deallocated`() {
        var cache = StatementCache(limit: 2)
        cache.insert(self.key("a"), name: "s1")
        cache.insert(self.key("b"), name: "s2")
        #expect(cache.name(for: self.key("a")) == "s1")
        cache.insert(self.key("c"), name: "s3")
        #expect(cache.count == 2 && cache.stale == ["s2"])
        #expect(cache.name(for: self.key("b")) == nil)
        cache.deallocated("s2")
        #expect(cache.stale.isEmpty)
    }

    @Test func `an invalid statement is forgotten and deallocated`() {
        var cache = StatementCache(limit: 2)
        cache.insert(self.key("a"), name: "s1")
        cache.invalidate(self.key("a"))
        cache.invalidate(self.key("a"))
        #expect(cache.name(for: self.key("a")) == nil && cache.stale == ["s1"])
    }

    @Test func `a statement prepared twice leaves the first name to be deallocated`() {
        var cache = StatementCache(limit: 2)
        cache.insert(self.key("a"), name: "s1")
        cache.insert(self.key("a"), name: "s2")
        #expect(cache.name(for: self.key("a")) == "s2" && cache.stale == ["s1"] && cache.count == 1)
    }

    @Test func `names are never used twice`() {
        var cache = StatementCache(limit: 2)
        #expect(Set((0..<100).map { _ in cache.makeName() }).count == 100)
    }
}
