#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What time it is. Injected everywhere, so that tests decide it.
public protocol WallClock: Sendable {
    /// The present moment. May go backwards when the machine's clock is set.
    var now: Timestamp { get }
}

/// The machine's clock.
public struct SystemClock: WallClock {
    /// The one there is.
    public init() {}

    /// Reads `CLOCK_REALTIME`.
    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
