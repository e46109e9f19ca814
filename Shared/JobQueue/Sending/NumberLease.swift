/// Numbers that this process may put into the ids of the jobs it sends, so that an id is known before its job is
/// inserted: 256 of them, for five seconds. Pure.
struct NumberLease: Sendable {
    static let size: Int64 = 256
    static let duration = Duration.seconds(5)

    private var nextNumber: Int64
    private let end: Int64
    /// The server's clock when the numbers were leased, in milliseconds since 1970.
    private let milliseconds: Int64
    private let leased: ContinuousClock.Instant

    /// Nothing to give.
    init() {
        (self.nextNumber, self.end, self.milliseconds, self.leased) = (0, 0, 0, .now)
    }

    init(first: Int32, milliseconds: Int64, leased: ContinuousClock.Instant) {
        self.nextNumber = Int64(first)
        self.end = Int64(first) + Self.size
        self.milliseconds = milliseconds
        self.leased = leased
    }

    /// The id of a job that is sent now; nil when the lease is used up or over.
    mutating func next(at now: ContinuousClock.Instant) -> JobID? {
        let age = now - self.leased
        guard self.nextNumber < self.end, age < Self.duration else { return nil }
        defer { self.nextNumber += 1 }
        let elapsed = Int64(age.inSeconds * 1000)
        return JobID((self.milliseconds + elapsed) << 20 | self.nextNumber)
    }
}
