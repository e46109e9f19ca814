import Foundation
import TestSupport
import Testing
import Web

@testable import Club

/// Whoever means harm, in a running system: a member who knows another's ids, a till that replays and guesses, a partner
/// who forges and leads astray, and texts and pictures that are more than they look.
@Suite struct AttackTests {
    @Test(.oncePerRun)
    func `members, tills, partners and colleagues who mean harm get nothing, and the books verify`() async throws {
        try await PartnerElsewhere.run { elsewhere in
            // Beside the demo's own partners.
            let settings = Crowd.settings.merging(["CLUB_PARTNERS_EXCHANGE_HOSTS": elsewhere.host]) { $1 }
            try await TestSystem.run(demo: true, settings: settings) { system in
                let attack = try await Attack(Programme(system), elsewhere: elsewhere)
                try await attack.`no list, feed or search of a member shows anything of another`()
                try await attack.`whatever is another's is answered like what does not exist, and stays as it was`()
                try await attack.`a card token is good once, and a card number spends nothing`()
                try await attack.`a token of one kind is none of another`()
                try await attack.`a signed request is good once, and for itself only`()
                try await attack.`nobody but the partner tells us of its orders`()
                try await attack.`a bomb opens nowhere, and the services go on`()
                try await attack.`a partner that sends us elsewhere is not followed`()
                try await attack.`no address but the allowed ones is taken, however it is written`()
                try await attack.`no text does more than be refused or be kept as it is`()
                try await attack.`everything stands`()
            }
        }
    }
}

/// Who takes part.
struct Attack: Sendable {
    let crowd: Crowd
    /// What is attacked.
    let belongings: Belongings
    let table: AuthorisationTable
    let elsewhere: PartnerElsewhere

    init(_ programme: Programme, elsewhere: PartnerElsewhere) async throws {
        self.table = try AuthorisationTable.read()
        self.elsewhere = elsewhere
        self.crowd = try await Crowd(programme)
        self.belongings = try await Belongings(of: self.crowd.member, in: self.crowd)
    }

    /// Nobody was dropped, nothing became somebody else's, and the books verify.
    func `everything stands`() async throws {
        for part in ServicePart.services {
            #expect(try await self.crowd.programme.send("GET", part, "/health/ready").status == 200, "\(part)")
        }
        let me = try await self.crowd.member.ask("GET", .auth, "/v1/me")
        #expect(me["card"]?.text == self.crowd.member.card)
        #expect(try await self.crowd.other.balance() == (0, 0))
        let verified = try await self.crowd.programme.shell.club("ledger", "verify")
        #expect(verified.code == 0 && verified.output.isEmpty, "\(verified)")
    }
}
