/// What a test waited for did not happen.
public struct NeverHappened: Error, CustomStringConvertible {
    /// What was waited for, and for how long.
    public let description: String

    public init(description: String) { self.description = description }
}

/// Looks again and again until there is a value: for what an outside process does, of which no event reaches us.
/// - Parameters:
///   - what: completes the sentence "did not happen: …".
///   - limit: how long to look. Generous, since it is only waited out when something is broken.
///   - interval: the pause between two looks.
/// - Throws: ``NeverHappened``, or what the look throws.
public func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(30), every interval: Duration = .milliseconds(25),
    _ look: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while true {
        if let value = try await look() { return value }
        guard clock.now < deadline else { throw NeverHappened(description: "Within \(limit) did not happen: \(what)") }
        try await clock.sleep(for: interval)
    }
}

/// Looks again and again until the condition holds; see the other `eventually`.
public func eventually(
    _ what: String, within limit: Duration = .seconds(30), every interval: Duration = .milliseconds(25),
    isTrue condition: () async throws -> Bool
) async throws {
    try await eventually(what, within: limit, every: interval) { () async throws -> Void? in
        try await condition() ? () : nil
    }
}
