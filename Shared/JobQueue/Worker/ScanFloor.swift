/// Where the next search of a queue may begin. Pure.
///
/// What a worker has taken away stays in the index as dead entries, and as long as an old snapshot is open nothing can
/// clear them: a worker that empties a long queue would walk over all of them each time (PgQ's "ticks" solve the same).
/// So after a full look the next one begins behind it. Jobs that were committed late, put back, or are more urgent stand
/// before the floor: they are seen when the floor is forgotten, a quarter of a second later, or when a look behind it is not
/// full any more. Where the look from the beginning took long, the floor holds for so much longer that such looks are a
/// twentieth of the time.
struct ScanFloor: Sendable, Equatable {
    static let lifetime = Duration.milliseconds(250)
    static let longestLifetime = Duration.seconds(5)
    private static let share = 20

    private var position: QueuePosition?
    private var expires: ContinuousClock.Instant?

    /// Where to begin now; nil: at the beginning.
    mutating func current(at now: ContinuousClock.Instant) -> QueuePosition? {
        if let expires, expires <= now { self.reset() }
        return self.position
    }

    /// A look was full, and this was its last job.
    /// - Parameter took: how long the look took.
    mutating func advance(behind last: QueuePosition, after took: Duration, at now: ContinuousClock.Instant) {
        self.position = last
        guard self.expires == nil else { return }
        self.expires = now.advanced(by: min(Self.longestLifetime, max(Self.lifetime, took * Self.share)))
    }

    mutating func reset() {
        (self.position, self.expires) = (nil, nil)
    }
}
