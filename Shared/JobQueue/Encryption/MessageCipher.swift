public import Kernel
internal import Postgres

/// Why a message was not sent to an encrypted queue, or was not sent because it is confidential: it is never sent in clear
/// instead.
public enum EncryptionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// This bus was given no keys.
    case keyMissing(QueueName)
    /// This bus was given no keys for a confidential event of this name.
    case eventKeyMissing(String)

    /// Kebab case, for logs and tests.
    public var code: String { "encryption-key-missing" }

    public var description: String {
        switch self {
        case .keyMissing(let queue):
            "\(self.code): \(queue) is encrypted, or the message is confidential, and this process has no keys"
        case .eventKeyMissing(let event): "\(self.code): \(event) is confidential, and this process has no keys"
        }
    }
}

/// Seals what goes into encrypted queues and opens what comes out of them.
///
/// Arguments are bound to the kind and version of their message, because their job has no number yet when they are sealed;
/// answers and results to the job too. Whether a queue is encrypted is known from the database (``QueueDirectory``), which
/// refuses plain arguments for such a queue, so that a sender that does not know yet cannot be wrong.
struct MessageCipher: Sendable {
    enum Place: Sendable {
        case arguments(kind: String, version: Int)
        case answer(to: Int64)
        case result(of: Int64)

        var text: String {
            switch self {
            case .arguments(let kind, let version): "arguments/\(kind)/\(version)"
            case .answer(let job): "answer/\(job)"
            case .result(let job): "result/\(job)"
            }
        }
    }

    let keyring: Keyring?

    func payload<M: Message>(_ message: M, for queue: QueueEntry) throws -> Payload<M> {
        guard queue.isEncrypted || M.isConfidential else { return Payload(message: message, sealed: nil) }
        return Payload(message: message, sealed: try self.arguments(message, for: queue))
    }

    /// The arguments of many messages of one kind.
    func arguments<M: Message>(_ messages: [M], for queue: QueueEntry) throws -> [RawJSON] {
        try messages.map { message in
            queue.isEncrypted || M.isConfidential
                ? try self.arguments(message, for: queue) : RawJSON(try MessageCoder.text(message))
        }
    }

    private func arguments<M: Message>(_ message: M, for queue: QueueEntry) throws -> RawJSON {
        try self.seal(RawJSON(try MessageCoder.text(message)), .arguments(kind: M.name, version: M.version), queue.name)
    }

    /// What every subscriber of a confidential event gets.
    func confidential<E: Event>(_ events: [E]) throws -> [RawJSON] {
        guard let keyring else { throw EncryptionError.eventKeyMissing(E.name) }
        return try events.map { event in
            let place = Place.arguments(kind: E.name, version: E.version)
            return try keyring.seal(try MessageCoder.text(event), at: place.text).json
        }
    }

    /// What is kept in the database of this text: itself, unless the queue is encrypted.
    /// - Throws: ``EncryptionError``.
    func seal(_ json: RawJSON, _ place: Place, _ queue: QueueEntry) throws -> RawJSON {
        queue.isEncrypted ? try self.seal(json, place, queue.name) : json
    }

    private func seal(_ json: RawJSON, _ place: Place, _ queue: QueueName) throws -> RawJSON {
        guard let keyring else { throw EncryptionError.keyMissing(queue) }
        return try keyring.seal(json.text, at: place.text).json
    }

    /// What was meant. What lies in clear is read as it is: it was sent before its queue was encrypted.
    /// - Parameter isEncrypted: whether the queue is. In one that is not, JSON that only looks sealed is no ciphertext.
    /// - Throws: `JobFailure.permanent`, code `unreadable-message`: reading it again will not help.
    func open(_ json: [UInt8], _ place: Place, isEncrypted: Bool) throws -> [UInt8] {
        guard let sealed = SealedText(json), isEncrypted || self.keyring?.has(sealed.key) == true else { return json }
        guard let text = self.keyring?.open(sealed, at: place.text) else {
            throw JobFailure.permanent("unreadable-message")
        }
        return text
    }
}
