import Contracts
import FoundationEssentials
import Kernel
import PartnerSimulator
import Postgres
import Redemption
import TestSupport
import Testing
import Web

@testable import PartnersExchange

/// What keeps a thief from carrying points away.
@Suite(.exchangeDatabase) struct LimitTests {
    @Test func `a phone changed within 72 hours, a lock or a waiting form let nothing leave`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let quoted = try await world.quote("s7-miles", 1000, of: member).json(ExchangeSeen.self)
            world.auth.sees(member, phoneChangedAt: world.clock.now - .seconds(72 * 3600 - 1))
            #expect(try await world.quote("s7-miles", 1000, of: member).problem == "phone-changed")
            // The phone was changed between quote and code.
            #expect(try await world.confirm(quoted.exchange, of: member).problem == "phone-changed")
            world.auth.sees(member, locked: true)
            #expect(try await world.confirm(quoted.exchange, of: member).problem == "spending-locked")
            world.auth.sees(member, active: false)
            #expect(try await world.confirm(quoted.exchange, of: member).problem == "not-active")
            #expect(try await world.balance(of: member) == [3000, 0])
            world.auth.sees(member, phoneChangedAt: world.clock.now - .seconds(72 * 3600))
            #expect(try await world.confirm(quoted.exchange, of: member).status == 200)
        }
    }

    @Test func `a changed number waits, and takes no quote that was made for the old one`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let quoted = try await world.quote("s7-miles", 1000, of: member).json(ExchangeSeen.self)
            try await world.link("223456781", with: "s7", of: member)
            #expect(try await world.confirm(quoted.exchange, of: member).problem == "link-changed")
            #expect(try await world.quote("s7-miles", 1000, of: member).problem == "link-cooling")
            world.clock.advance(by: .seconds(72 * 3600))
            #expect(try await world.quote("s7-miles", 1000, of: member).status == 201)
        }
    }

    @Test func `the partner decides whether a number exists and whose it is`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            #expect(try await world.link("123456789", with: "s7", of: member).problem == "wrong-number")
            #expect(try await world.link("123456790", with: "s7", of: member).problem == "unknown-number")
            let other = try await world.link(ExchangeWorld.s7Number, with: "s7", of: member, surname: "Петрова")
            #expect(other.problem == "other-name")
            #expect(try await world.link("1", with: "litres", of: member).status == 404)
            // Guessing whose a number is ends soon.
            var statuses: [Int] = []
            for _ in 0..<8 {
                statuses.append(
                    try await world.link(ExchangeWorld.s7Number, with: "s7", of: member, surname: "Петрова").status)
            }
            #expect(statuses.last == 429)
        }
    }

    @Test func `a large first exchange waits a day, and the link of the SMS takes it back`() async throws {
        var limits = ExchangeLimits()
        limits.largeFirst = 2000
        try await ExchangeWorld.run(limits: limits) { world in
            let member = try await world.member(5000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let id = try await world.exchange("s7-miles", 2000, of: member)
            let seen = try await world.see(id, of: member)
            #expect(seen.state == .reserved)
            #expect(seen.startsAt == world.clock.now + .seconds(86_400))
            try await eventually("the member hears of it", isTrue: { world.auth.notices.count == 1 })
            let notice = try #require(world.auth.notices.first)
            #expect(notice.purpose == .security)
            let token = try #require(notice.russian.body.split(separator: "#").last.map { String($0) })
            #expect(try await world.http.post("/v1/cancellations", ["token": "B" + token.dropFirst()]).status == 404)
            world.clock.advance(by: .seconds(86_399))
            try await world.parts.flow.sweep(overdue: .zero)
            #expect(world.book.orders.isEmpty)
            let taken = try await world.http.post("/v1/cancellations", ["token": token])
            #expect(taken.status == 200)
            _ = try await world.drive(id, of: member, to: .reversed)
            #expect(world.book.orders.isEmpty)
            #expect(try await world.balance(of: member) == [5000, 0])

            // Not taken back it goes on; a number that got something before is not new any more.
            let second = try await world.exchange("s7-miles", 2000, of: member)
            world.clock.advance(by: .seconds(86_400))
            try await world.parts.flow.advance(RedemptionRecord.ID(second.raw), of: member)
            try await eventually("the order's arrival", isTrue: { !world.book.orders.isEmpty })
            world.book.credit()
            _ = try await world.drive(second, of: member, to: .settled)
            _ = try await world.exchange("s7-miles", 3000, of: member)
            try await eventually("the third order's arrival", isTrue: { world.book.orders.count == 2 })
            let late = try await world.http.post("/v1/cancellations", ["token": token])
            #expect(late.status == 200)
        }
    }

    @Test func `a day's limits hold for a member and for a number, also when two are confirmed at once`() async throws {
        var limits = ExchangeLimits()
        (limits.memberDay, limits.numberDay) = (3000, 4000)
        try await ExchangeWorld.run(limits: limits, drives: false) { world in
            let member = try await world.member(20_000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            #expect(try await world.quote("s7-miles", 3100, of: member).problem == "over-limit")
            let first = try await world.quote("s7-miles", 2000, of: member).json(ExchangeSeen.self).exchange
            let second = try await world.quote("s7-miles", 2000, of: member).json(ExchangeSeen.self).exchange
            async let one = world.confirm(first, of: member)
            async let two = world.confirm(second, of: member)
            let statuses = try await [one.status, two.status].sorted()
            #expect(statuses == [200, 409])
            #expect(try await world.balance(of: member) == [18_000, 2000])

            // Another member with the same number of the partner.
            let friend = try await world.member(20_000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: friend)
            #expect(try await world.quote("s7-miles", 2100, of: friend).problem == "over-limit")
            #expect(try await world.quote("s7-miles", 2000, of: friend).status == 201)
            world.clock.advance(by: .seconds(86_401))
            #expect(try await world.quote("s7-miles", 3000, of: friend).status == 201)
        }
    }

    @Test func `of few codes everybody gets another one, and who gets none has the points back`() async throws {
        try await ExchangeWorld.run { world in
            let manager = try await world.staff([.partnerManager])
            _ = try await manager.post(
                "/staff/v1/partner-offers/litres-500/codes", ["codes": ["CODE-1", "CODE-2", "CODE-3"]])
            var members: [Member.ID] = []
            for _ in 0..<6 { members.append(try await world.member(5000)) }
            // All have a quote before the first code is gone.
            var exchanges: [(Member.ID, Exchange.ID)] = []
            for member in members {
                let quoted = try await world.quote("litres-500", 5000, of: member).json(ExchangeSeen.self)
                exchanges.append((member, quoted.exchange))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (member, id) in exchanges {
                    group.addTask {
                        let confirmed = try await world.confirm(id, of: member)
                        #expect(confirmed.status == 200)
                    }
                }
                try await group.waitForAll()
            }
            var codes: [String] = []
            var points: Int64 = 0
            for (member, id) in exchanges {
                let seen = try await eventually("an end") { () -> ExchangeSeen? in
                    let seen = try await world.see(id, of: member)
                    return seen.state.isEnd ? seen : nil
                }
                if let code = seen.code { codes.append(code) } else { #expect(seen.reason == "no-codes-left") }
                points += try await world.balance(of: member)[0]
            }
            #expect(codes.sorted() == ["CODE-1", "CODE-2", "CODE-3"])
            #expect(points == 15_000)
            await #expect(throws: (any Error).self) {
                try await world.owner.execute("update partners_exchange.code set exchange_id = null, member_id = null")
            }
        }
    }
}
