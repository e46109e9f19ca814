public import Kernel
public import Postgres

/// The table `<schema>.ended_session`: sessions that have ended before their access tokens did, as auth tells it by
/// `SessionEnded`. Needs that table; see this folder's README.
public struct EndedSessionStore: Sendable {
    private let schema: ServiceName

    /// - Parameter schema: whose table it is.
    public init(schema: ServiceName) { self.schema = schema }

    /// A session that has ended.
    public struct Entry: Hashable, Sendable {
        /// Which.
        public let session: Session.ID
        /// When its last access token has run out by itself.
        public let forgetAt: Timestamp

        /// Describes a session that has ended.
        public init(session: Session.ID, forgetAt: Timestamp) { (self.session, self.forgetAt) = (session, forgetAt) }
    }

    /// Notes sessions, each once, and forgets those whose tokens have run out. What a handler of `SessionEnded` calls.
    /// - Parameter now: by the service's clock.
    public func note(_ entries: [Entry], at now: Timestamp, in transaction: borrowing Transaction) async throws {
        let table = (self.schema.schema, "ended_session")
        // In the order of their ids, so that two batches that share sessions cannot wait for each other.
        let wanted = entries.filter { $0.forgetAt > now }.sorted { "\($0.session)" < "\($1.session)" }
        _ = try await transaction.pipeline([
            """
            insert into \(identifier: table.0, table.1) (session_id, forget_at)
            select session_id, forget_at
            from unnest(\(wanted.map(\.session)), \(wanted.map(\.forgetAt))) e (session_id, forget_at)
            on conflict (session_id) do nothing
            """,
            """
            delete from \(identifier: table.0, table.1)
            where session_id in (
                select session_id
                from \(identifier: table.0, table.1)
                where forget_at <= \(now)
                order by session_id
                for update skip locked
            )
            """,
        ])
    }

    /// The sessions whose tokens would still be accepted.
    func current(at now: Timestamp, on database: Database) async throws -> Set<Session.ID> {
        let rows = try await database.query(
            """
            select session_id
            from \(identifier: self.schema.schema, "ended_session")
            where forget_at > \(now)
            """)
        return Set(try rows.map { try $0.decode(Session.ID.self) })
    }
}

/// Which sessions have ended, at most two seconds old: with the way of the event over the bus a token of an ended session
/// is refused within five seconds of the ending, everywhere.
///
/// The whole table is read again at most once in two seconds, and only while somebody asks: it holds the sessions that
/// ended within the lifetime of an access token. When it cannot be read nobody is let in on an old copy.
public actor EndedSessions {
    private let store: EndedSessionStore
    private let database: Database
    private let clock: any WallClock
    private var known: (sessions: Set<Session.ID>, readAt: Timestamp)?

    /// How long a copy is kept.
    static let keep = Duration.seconds(2)

    /// - Parameters:
    ///   - schema: whose table is looked at.
    ///   - database: reached as that service's role.
    public init(schema: ServiceName, database: Database, clock: any WallClock) {
        self.store = EndedSessionStore(schema: schema)
        self.database = database
        self.clock = clock
    }

    /// Whether the session has ended.
    /// - Throws: `DatabaseError` when that cannot be found out.
    public func contains(_ session: Session.ID) async throws -> Bool {
        let now = self.clock.now
        if let known = self.known, known.readAt <= now, now - known.readAt < Self.keep {
            return known.sessions.contains(session)
        }
        let sessions = try await self.store.current(at: now, on: self.database)
        // Another task may have read meanwhile: the copy that was begun later stays.
        if self.known.map({ $0.readAt <= now || $0.readAt - now > Self.keep }) ?? true {
            self.known = (sessions, now)
        }
        return sessions.contains(session)
    }
}
