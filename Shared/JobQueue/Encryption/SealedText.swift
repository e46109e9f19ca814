internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// Ciphertext as the database keeps it: `{"k": the key's name, "n": nonce, "c": ciphertext and tag}`, bytes as base64
/// for URLs.
struct SealedText: Sendable, Equatable {
    let key: String
    let nonce: [UInt8]
    let ciphertext: [UInt8]

    init(key: String, nonce: [UInt8], ciphertext: [UInt8]) {
        self.key = key
        self.nonce = nonce
        self.ciphertext = ciphertext
    }

    /// Reads what PostgreSQL makes of ``json``; nil for every other JSON.
    init?(_ json: [UInt8]) {
        // A jsonb has its keys in alphabetical order. Nearly all that is read is not sealed and ends here.
        guard json.starts(with: Self.beginning),
            let fields = try? JSONDecoder().decode([String: String].self, from: Data(json)), fields.count == 3,
            let key = fields["k"], let nonce = fields["n"].flatMap({ Base64URL.decode($0) }),
            let ciphertext = fields["c"].flatMap({ Base64URL.decode($0) })
        else { return nil }
        self.init(key: key, nonce: nonce, ciphertext: ciphertext)
    }

    private static let beginning = Array(#"{"c": ""#.utf8)

    /// Neither the name of a key nor base64 has anything in it that would need quoting.
    var json: RawJSON {
        RawJSON(
            #"{"c": "\#(Base64URL.encode(self.ciphertext))", "k": "\#(self.key)", "n": "\#(Base64URL.encode(self.nonce))"}"#
        )
    }
}

/// The arguments of a job on their way to the database: the message, or what it was sealed to.
struct Payload<M: Message>: PostgresEncodable {
    let message: M
    let sealed: RawJSON?

    static var postgresType: PostgresType { RawJSON.postgresType }

    func encode(into buffer: inout ParameterBuffer) throws {
        if let sealed {
            try sealed.encode(into: &buffer)
        } else {
            try JSONB(self.message).encode(into: &buffer)
        }
    }
}
