import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

/// A million guessed card numbers: what they cost an attacker, and what they spend, by the real limits on a clock that the
/// test moves.
@Suite(.authDatabase, .capturedLogs) struct GuessedCardTests {
    private static let million = 1_000_000
    private static let guessesPerHour = 60

    private func network(_ index: Int) throws -> ClientNetwork {
        try #require(ClientNetwork(address: "192.0.\(index).1"))
    }

    /// Guesses once a minute for some hours.
    /// - Returns: how many guesses were taken.
    private func guess(
        hours: Int, from network: ClientNetwork, seed: Int, in world: AuthWorld
    ) async throws -> Int {
        var taken = 0
        for hour in 0..<hours {
            for minute in 0..<Self.guessesPerHour {
                let number = UInt64((seed * hours + hour) * Self.guessesPerHour + minute)
                let card = CardNumber.make(random: .seeded(1_000_000 + number))
                if case .success = try await world.parts.routes.requestChallenge(card, from: network) { taken += 1 }
                world.clock.advance(by: .seconds(60))
            }
        }
        return taken
    }

    @Test func `a network guesses five cards an hour, so a million take it more than twenty years`() async throws {
        let world = try AuthWorld(policy: AuthPolicy())
        let member = try await world.register()
        world.clock.advance(by: .seconds(86_400))
        let sent = try await self.messages(world)
        let hours = 6
        let taken = try await self.guess(hours: hours, from: self.network(1), seed: 1, in: world)
        // Each guess is another card and counts like another phone: five an hour, however often it is tried.
        #expect(taken > 0)
        #expect(taken <= AuthPolicy().quotas.phonesPerNetworkHour * (hours + 1))
        let years = Self.million * hours / taken / (24 * 365)
        #expect(years >= 19, "\(taken) guesses in \(hours) hours")
        // Guesses of nobody's cards send nothing and open nothing.
        #expect(try await self.messages(world) == sent)
        #expect(try await world.count("auth.session") == 1, "the member's own, from joining")
        // From another network the member logs in meanwhile: the guesses of one are not paid by others.
        guard case .success = try await world.parts.routes.requestChallenge(member.card, from: self.network(2)) else {
            Issue.record("the member is kept out by somebody else's guesses")
            return
        }
    }

    @Test func `a guess that hits a card sends its code to the member, and leaves three answers in ten thousand`()
        async throws
    {
        let world = try AuthWorld(policy: AuthPolicy())
        let member = try await world.register()
        world.clock.advance(by: .seconds(86_400))
        // The hit is repeated from a new network each time, for a whole day.
        var (codes, opened, wrong) = (0, 0, 0)
        for index in 0..<48 {
            guard
                case .success(let issued) = try await world.parts.routes.requestChallenge(
                    member.card, from: self.network(index + 1))
            else { continue }
            codes += 1
            for _ in 0..<5 {
                let answer = try await world.wrongCode(for: issued.challenge)
                let device = DeviceName(userAgent: nil)
                switch try await world.parts.routes.logIn(issued.challenge, answer: answer, device: device) {
                case .refused: wrong += 1
                case .member, .registration: opened += 1
                }
            }
            world.clock.advance(by: .seconds(1800))
        }
        #expect(codes == 48, "the answer is the same, whether a code is sent or not")
        #expect(opened == 0 && wrong == 48 * 5)
        // The member has had ten codes at most, and of all answers only so many were compared with a code.
        let row = try await world.owner.one(
            """
            select
                count(*) filter (where not is_decoy and created_at > \(world.clock.now - .seconds(86_400))),
                coalesce(sum(attempts) filter (where not is_decoy and digits = 4), 0)
            from auth.challenge
            where by_card
            """)
        let (sent, compared) = try row.decode(Int.self, Int.self)
        #expect(sent <= AuthPolicy().quotas.perPhoneDay)
        // Four digits are asked of a phone until ten failures in a row: then six, for a day.
        #expect(compared <= AuthPolicy().quotas.failuresInRow + 2)
    }

    private func messages(_ world: AuthWorld) async throws -> Int {
        try await world.owner.one("select coalesce(sum(sent), 0) from auth.sms_budget").decode(Int.self)
    }
}
