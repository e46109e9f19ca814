public import Kernel

/// An API key as a service knows it: everything but the secret.
public struct TillKey: Equatable, Sendable {
    /// The part of the key that is no secret.
    public let id: String
    /// SHA-256 of the secret part's UTF-8, 32 bytes.
    public let hash: [UInt8]
    /// The only store that the key speaks for; nil lets it speak for any.
    public let store: StoreID?
    /// What the key may do.
    public let scopes: Set<String>
    /// A revoked key opens nothing.
    public let revoked: Bool

    /// Describes a key.
    public init(id: String, hash: [UInt8], store: StoreID?, scopes: Set<String>, revoked: Bool) {
        self.id = id
        self.hash = hash
        self.store = store
        self.scopes = scopes
        self.revoked = revoked
    }

    /// Refuses a key that may not do this.
    /// - Throws: `api-key-scope`.
    public func require(scope: String) throws(Problem) {
        guard self.scopes.contains(scope) else {
            throw Problem(.apiKeyScope, detail: "The scope \(scope) is required.")
        }
    }

    /// Refuses a key that belongs to another store.
    /// - Throws: `api-key-store`.
    public func require(store: StoreID) throws(Problem) {
        guard self.store == nil || self.store == store else { throw Problem(.apiKeyStore) }
    }
}
