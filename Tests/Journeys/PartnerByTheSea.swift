import TestSupport
import Testing

@testable import Club

/// A partner of the programme that is somewhere else: one of the demo's, reached over HTTP only.
struct PartnerByTheSea: Sendable {
    let programme: Programme

    /// The partner credits what it has accepted; it does so by itself every few seconds, too.
    func credit() async throws {
        try await self.programme.ask("POST", .partners, "/s7/control/credits")
    }

    /// The file of a day.
    func file() async throws -> String {
        try await self.programme.send("GET", .partners, "/s7/file").text
    }
}
