/// A source of random bytes, injected wherever randomness decides something.
public struct RandomBytes: Sendable {
    private let generate: @Sendable (Int) -> [UInt8]

    /// - Parameter generate: gives exactly as many bytes as it is asked for.
    public init(_ generate: @escaping @Sendable (Int) -> [UInt8]) {
        self.generate = generate
    }

    /// The next `count` bytes.
    public func next(_ count: Int) -> [UInt8] {
        self.generate(count)
    }

    /// Eight bytes as one number.
    public func nextUInt64() -> UInt64 {
        self.generate(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The system's cryptographically secure generator (`getrandom` on Linux).
    public static let system = RandomBytes { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
