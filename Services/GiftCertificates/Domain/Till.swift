import Kernel

/// A till as its API key describes it.
struct Till: Hashable, Sendable {
    /// The id of its key.
    let key: String
    /// The only store that it speaks for; nil for all.
    let store: StoreID?

    func speaks(for store: StoreID) -> Bool { self.store == nil || self.store == store }
}
