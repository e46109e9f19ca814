internal import FoundationEssentials
public import Kernel
internal import NIOConcurrencyHelpers

/// Numbers that look random and are the same in every run (SplitMix64).
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The same numbers for the same `seed`.
    public init(seed: UInt64) {
        self.state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension RandomBytes {
    /// The same bytes in every run. Another seed, other bytes.
    public static func seeded(_ seed: UInt64 = 1) -> RandomBytes {
        let generator = NIOLockedValueBox(SplitMix64(seed: seed))
        return RandomBytes { count in
            generator.withLockedValue { generator in
                (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            }
        }
    }
}

extension IDGenerator {
    /// The same identifiers in every run, rising with the clock as in production.
    public static func seeded(_ seed: UInt64 = 1, clock: any WallClock = ManualClock()) -> IDGenerator {
        .uuidV7(clock: clock, random: .seeded(seed))
    }
}
