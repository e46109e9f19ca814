public import FoundationEssentials
import Synchronization

/// Makes identifiers. Injected, so that tests can know them beforehand.
public struct IDGenerator: Sendable {
    private let make: @Sendable () -> UUID

    /// - Parameter make: gives a UUID that it has never given before.
    public init(_ make: @escaping @Sendable () -> UUID) {
        self.make = make
    }

    /// A new identifier of a `Subject`.
    public func next<Subject>(_: Subject.Type = Subject.self) -> Identifier<Subject> {
        Identifier(self.make())
    }

    /// A new UUID for what has no type of its own.
    public func uuid() -> UUID {
        self.make()
    }

    /// UUIDs of version 7 (RFC 9562, 5.7), strictly rising within this generator.
    ///
    /// The 12 bits after the milliseconds are a counter (RFC 9562, 6.2, method 1) that starts at a random value below
    /// 2048 in each millisecond. When it runs over, or when the clock goes backwards, the generator goes on
    /// counting from where it was, ahead of the clock. The last 62 bits are random.
    public static func uuidV7(clock: any WallClock, random: RandomBytes = .system) -> IDGenerator {
        let sequence = MonotonicSequence()
        return IDGenerator {
            let milliseconds = UInt64(max(0, clock.now.microseconds / 1000)) & 0xFFFF_FFFF_FFFF
            let noise = random.next(10)
            let seed = (UInt64(noise[8]) << 8 | UInt64(noise[9])) & 0x7FF
            return Self.assemble(sequence.advance(to: milliseconds << 12 | seed), noise: noise)
        }
    }

    private static func assemble(_ position: UInt64, noise: [UInt8]) -> UUID {
        func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: position >> shift) }
        let version: UInt8 = 0x70
        let variant: UInt8 = 0x80
        return UUID(
            uuid: (
                byte(52), byte(44), byte(36), byte(28), byte(20), byte(12),
                version | (byte(8) & 0x0F), byte(0),
                variant | (noise[0] & 0x3F), noise[1], noise[2], noise[3], noise[4], noise[5], noise[6], noise[7]
            ))
    }
}

/// 48 bits of milliseconds and 12 bits of counter that only ever rise, whoever asks at the same time.
///
/// An atomic instead of a mutex: Kernel has no dependency, and ThreadSanitizer does not understand `Mutex`.
private final class MonotonicSequence: Sendable {
    private let last = Atomic<UInt64>(0)

    /// Takes the wanted position, or the next free one when that is already behind.
    func advance(to wanted: UInt64) -> UInt64 {
        var seen = self.last.load(ordering: .relaxed)
        while true {
            let next = wanted >> 12 > seen >> 12 ? wanted : seen + 1
            let (exchanged, original) = self.last.compareExchange(
                expected: seen, desired: next, ordering: .relaxed)
            if exchanged { return next }
            seen = original
        }
    }
}
