import Crypto
import FoundationEssentials
public import HTTPTypes
public import Hummingbird
public import Kernel
public import Postgres

/// Makes asking again harmless: the same key gives the same answer, and the work is done once.
///
/// As in the IETF draft "The Idempotency-Key HTTP Header Field": no key → 400 `idempotency-key-required`; the key of
/// another request → 422 `idempotency-key-reused`; the first request still running → 409 `idempotency-key-in-progress` with
/// `Retry-After`; the first request answered → the same answer with `Idempotent-Replayed: true`.
///
/// The key's row, the business rows and the jobs commit in one transaction, which this type owns. A business refusal (a
/// ``Problem`` of 4xx thrown by the work) rolls the work back and is kept and replayed like a success; a failure is not
/// kept, so that the client may try again. Deadlocks and serialisation failures are tried again here.
///
/// Needs the table `<schema>.idempotency_key`; see this folder's README.
public struct Idempotency: Sendable {
    /// How often work is begun that loses against other transactions.
    private static let attemptsLimit = 4

    private let schema: ServiceName
    private let database: Database
    private let clock: any WallClock
    private let random: RandomBytes

    /// - Parameters:
    ///   - schema: whose table keeps the keys.
    ///   - random: spreads the repetitions after a deadlock.
    public init(schema: ServiceName, database: Database, clock: any WallClock, random: RandomBytes = .system) {
        self.schema = schema
        self.database = database
        self.clock = clock
        self.random = random
    }

    /// An answer and where it comes from.
    public struct Outcome: Equatable, Sendable {
        /// What to send.
        public let answer: Answer
        /// Whether an earlier request with the same key got this answer.
        public let isReplayed: Bool

        func response() -> Response {
            var response = self.answer.response()
            if self.isReplayed { response.headers[.idempotentReplayed] = "true" }
            return response
        }
    }

    /// Answers an HTTP request by its header `Idempotency-Key`.
    /// - Parameters:
    ///   - principal: who asks; keys of different principals never meet.
    ///   - body: the request's bytes; with method and address they decide whether it is the same request.
    ///   - work: done at most once for a key, as far as anybody can see: it may run several times, but commits once.
    public func answer(
        _ request: Request, principal: String, body: [UInt8],
        _ work: (borrowing Transaction) async throws -> Answer
    ) async throws -> Response {
        try await self.answer(
            key: try Self.key(of: request), principal: principal,
            fingerprint: Self.fingerprint(of: request, body: body),
            work
        ).response()
    }

    /// With method and address, so that one key means one request.
    private static func fingerprint(of request: Request, body: [UInt8]) -> [UInt8] {
        Self.fingerprint(Array("\(request.method.rawValue) \(request.uri.string)\n".utf8) + body)
    }

    /// Answers an HTTP request whose work needs something beforehand that no transaction may wait for, such as the answer
    /// of another service. A request that was answered before is answered again, and nothing is prepared for it.
    /// - Parameter prepare: may run for a request that is refused afterwards; what it throws is not kept.
    public func answer<Prepared>(
        _ request: Request, principal: String, body: [UInt8], preparing prepare: () async throws -> Prepared,
        _ work: (Prepared, borrowing Transaction) async throws -> Answer
    ) async throws -> Response {
        let entry = Entry(
            principal: principal, key: try Self.key(of: request), fingerprint: Self.fingerprint(of: request, body: body)
        )
        if let row = try await self.database.first(self.kept(entry)) {
            return try Self.outcome(of: entry, Self.read(row)).response()
        }
        let prepared = try await prepare()
        return try await self.answer(request, principal: principal, body: body) { transaction in
            try await work(prepared, transaction)
        }
    }

    /// Answers one operation of many, which has a key of its own.
    /// - Parameter fingerprint: of what the operation is about; see ``fingerprint(_:)``.
    /// - Throws: ``Problem`` when there is no answer to give, and what stops the work from being tried.
    public func answer(
        key: IdempotencyKey, principal: String, fingerprint: [UInt8],
        _ work: (borrowing Transaction) async throws -> Answer
    ) async throws -> Outcome {
        let entry = Entry(principal: principal, key: key, fingerprint: fingerprint)
        do {
            return try await self.retryingConflicts { try await self.once(entry, work) }
        } catch let refusal as Refusal {
            // The work is rolled back. Its answer is kept in a transaction of its own; when the same request came in
            // between and was answered, that answer holds.
            let answer = try refusal.problem.answer()
            return try await self.retryingConflicts { try await self.once(entry) { _ in answer } }
        }
    }

    /// SHA-256, for telling requests apart.
    public static func fingerprint(_ bytes: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: Data(bytes)))
    }
}

extension Idempotency {
    private struct Entry {
        let principal: String
        let key: IdempotencyKey
        let fingerprint: [UInt8]
    }

    /// Carries a problem of the work out of the transaction, apart from problems with the key.
    private struct Refusal: Error {
        let problem: Problem
    }

    private enum Finding {
        case free
        case running
        case answered(fingerprint: [UInt8], Answer)
    }

    private func once(
        _ entry: Entry, _ work: (borrowing Transaction) async throws -> Answer
    ) async throws -> Outcome {
        try await self.database.transaction { transaction in
            switch try await self.find(entry, in: transaction) {
            case .running:
                throw Problem(.idempotencyKeyInProgress, retryAfter: .seconds(1))
            case .answered(let fingerprint, let answer):
                return try Self.outcome(of: entry, (fingerprint, answer))
            case .free:
                let answer: Answer
                do {
                    answer = try await work(transaction)
                } catch let problem as Problem where problem.isBusinessRefusal {
                    throw Refusal(problem: problem)
                }
                try await self.keep(answer, for: entry, in: transaction)
                return Outcome(answer: answer, isReplayed: false)
            }
        }
    }

    /// Looks for the key's answer, having made sure that nobody is at work on it.
    ///
    /// The lock is tried in a statement of its own: the second statement's snapshot is then younger than the lock, and
    /// sees what the former holder has committed.
    private func find(_ entry: Entry, in transaction: borrowing Transaction) async throws -> Finding {
        let name = "\(self.schema.schema)/\(entry.principal)/\(entry.key.text)"
        let results = try await transaction.pipeline([
            """
            select pg_try_advisory_xact_lock(hashtextextended(\(name), 0))
            """,
            self.kept(entry),
        ])
        guard results.count == 2, let attempt = results[0].first, try attempt.decode(Bool.self) else {
            return .running
        }
        guard let row = results[1].first else { return .free }
        let (fingerprint, answer) = try Self.read(row)
        return .answered(fingerprint: fingerprint, answer)
    }

    /// The answer of an earlier request with the same key.
    /// - Throws: `idempotency-key-reused` when that was another request.
    private static func outcome(
        of entry: Entry, _ kept: (fingerprint: [UInt8], answer: Answer)
    ) throws(Problem) -> Outcome {
        guard kept.fingerprint == entry.fingerprint else { throw Problem(.idempotencyKeyReused) }
        return Outcome(answer: kept.answer, isReplayed: true)
    }

    private func kept(_ entry: Entry) -> SQL {
        """
        select fingerprint, status, headers, body
        from \(identifier: self.schema.schema, "idempotency_key")
        where principal = \(entry.principal) and key = \(entry.key.text)
        """
    }

    private static func read(_ row: Row) throws -> (fingerprint: [UInt8], answer: Answer) {
        let (fingerprint, status, headers, body) = try row.decode(
            [UInt8].self, Int16.self, JSONB<[String: String]>.self, [UInt8].self)
        var fields = HTTPFields()
        for (name, value) in headers.value {
            guard let name = HTTPField.Name(name) else { continue }
            fields[name] = value
        }
        return (fingerprint, Answer(status: HTTPResponse.Status(code: Int(status)), headers: fields, body: body))
    }

    private func keep(_ answer: Answer, for entry: Entry, in transaction: borrowing Transaction) async throws {
        let headers = Dictionary(answer.headers.map { ($0.name.rawName, $0.value) }, uniquingKeysWith: { $1 })
        try await transaction.execute(
            """
            insert into \(identifier: self.schema.schema, "idempotency_key")
                (principal, key, fingerprint, status, headers, body, created_at)
            values
                (\(entry.principal), \(entry.key.text), \(entry.fingerprint), \(Int16(answer.status.code)),
                 \(JSONB(headers)), \(answer.body), \(self.clock.now))
            """)
    }

    /// Tries again what lost against other transactions; whoever does it again after a while finds the way free.
    private func retryingConflicts(_ body: () async throws -> Outcome) async throws -> Outcome {
        for attempt in 1..<Self.attemptsLimit {
            do {
                return try await body()
            } catch let error as DatabaseError
                where error.code == .serializationFailure || error.code == .deadlockDetected
            {
                let milliseconds = Int64(self.random.nextUInt64() % 20) + 1
                try await Task.sleep(for: .milliseconds(milliseconds * Int64(attempt)))
            }
        }
        return try await body()
    }

    /// The header's key: a structured string in quotes, as the draft has it, or bare, as most clients send it.
    ///
    /// Public for those operations that span several transactions and so keep their keys in rows of their own.
    public static func key(of request: Request) throws(Problem) -> IdempotencyKey {
        let values = request.headers[values: .idempotencyKey]
        guard let text = values.first else { throw Problem(.idempotencyKeyRequired) }
        let isQuoted = text.utf8.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
        guard values.count == 1, let key = IdempotencyKey(isQuoted ? String(text.dropFirst().dropLast()) : text) else {
            throw Problem(.idempotencyKeyInvalid, detail: IdempotencyKey.requirement)
        }
        return key
    }
}

extension Problem {
    /// Whether the request itself is answered by this, now and later. Who asks and how often is another matter.
    fileprivate var isBusinessRefusal: Bool {
        let passing: [HTTPResponse.Status] = [.unauthorized, .forbidden, .requestTimeout, .tooManyRequests]
        return self.status.kind == .clientError && !passing.contains(self.status) && self.headers[.retryAfter] == nil
    }
}

extension HTTPField.Name {
    /// A name written in the source; an impossible one is a programmer's error and traps.
    private static func known(_ text: String) -> Self {
        let name = Self(text)
        precondition(name != nil, "a header's name is a token (RFC 9110, 5.1)")
        return name ?? .accept
    }

    static let idempotencyKey = Self.known("Idempotency-Key")
    /// Says that the answer was given before.
    public static let idempotentReplayed = Self.known("Idempotent-Replayed")
    static let traceparent = Self.known("traceparent")
}
