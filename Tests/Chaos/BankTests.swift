import EmbeddedPostgres
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Club

/// The bank test: sixteen writers and eight readers over HTTP, while the ledger is killed and the database stops at
/// once. Nothing is lost, nothing is double, nothing is half, and nobody sees the past after the present.
@Suite(.serialized) struct BankTests {
    private static let writers = 16
    private static let readers = 8

    @Test func `the books are right whatever dies, and every read fits them`() async throws {
        // Who asks a service that is killed is told so soon: the writers ask again.
        try await TestSystem.run(separate: true, demo: true, settings: ["CLUB_CALL_PATIENCE": "5s"]) { system in
            let bank = try await Bank.open(system, members: 4)
            let history = BankHistory()
            let isOver = Switch()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<Self.writers {
                    group.addTask { await self.write(bank, history, writer, until: isOver) }
                }
                for reader in 0..<Self.readers {
                    group.addTask { await self.read(bank, history, reader, until: isOver) }
                }
                do {
                    try await self.harm(system, history)
                } catch {
                    isOver.turn()
                    throw error
                }
                isOver.turn()
                try await group.waitForAll()
            }
            try await self.quiet(system)
            try await BankVerdict(system: system, bank: bank, history: history).check()
            let verification = try await system.shell.club("ledger", "verify")
            #expect(verification.code == 0, "\(verification)")
        }
    }

    /// Each kind of harm twice, and enough acknowledged deeds before and after each.
    private func harm(_ system: TestSystem, _ history: BankHistory) async throws {
        let postgres = try #require(try await EmbeddedPostgres.running(in: system.folder))
        let folder = SystemFolder(option: system.folder)
        for round in 0..<2 {
            try await self.progress(history)
            let before = try #require(folder.loadState()?.services.first { $0.name == "ledger" }?.process)
            before.signal(SIGKILL)
            try await eventually(
                "the ledger is there again, round \(round)", within: .seconds(60),
                isTrue: {
                    let now = folder.loadState()?.services.first { $0.name == "ledger" }?.process
                    return now.map { $0 != before && $0.isAlive } ?? false
                })
            try await self.progress(history)
            try await postgres.stop(.immediate)
            try await postgres.restart()
        }
        try await self.progress(history)
    }

    private func progress(_ history: BankHistory) async throws {
        let before = history.acknowledged
        try await eventually(
            "forty more deeds are acknowledged", within: .seconds(120), isTrue: { history.acknowledged >= before + 40 })
    }

    private func quiet(_ system: TestSystem) async throws {
        try await eventually(
            "no job is left", within: .seconds(120),
            isTrue: {
                let stats = try await system.shell.club("queue", "stats", "--json")
                guard stats.code == 0 else { return false }
                let queues = try JSONDecoder().decode([QueueCommand.Line].self, from: Data(stats.output.utf8))
                return queues.allSatisfy { $0.ready + $0.deferred + $0.running + $0.dead == 0 }
            })
    }

    // MARK: Clients

    private func write(_ bank: Bank, _ history: BankHistory, _ writer: Int, until isOver: Switch) async {
        var random = SplitMix64(seed: UInt64(writer + 1))
        var number: Int64 = 0
        while !isOver.isTurned {
            guard let customer = bank.customers.randomElement(using: &random) else { return }
            number += 1
            if number == 1 || Int.random(in: 0..<3, using: &random) == 0 {
                await self.earn(bank, history, customer, fiscal: Int64(writer) * 1_000_000 + number, &random)
            } else {
                await self.pay(bank, history, customer, key: "bank-\(writer)-\(number)", &random)
            }
        }
    }

    private func earn(
        _ bank: Bank, _ history: BankHistory, _ customer: Bank.Customer, fiscal: Int64, _ random: inout SplitMix64
    ) async {
        let total = Bank.totals.randomElement(using: &random) ?? Bank.totals[0]
        let body = bank.receiptBody(fiscal, total: total, of: customer)
        var answer = await bank.sendReceipt(body)
        // Half of the tills ask again when they hear nothing; the other half never knows.
        if answer == .unknown, Bool.random(using: &random) { answer = await bank.sendReceipt(body) }
        history.add(
            BankHistory.Receipt(
                fiscal: fiscal, member: customer.member, expected: bank.quotes[total] ?? 0, answer: answer))
    }

    private func pay(
        _ bank: Bank, _ history: BankHistory, _ customer: Bank.Customer, key: String, _ random: inout SplitMix64
    ) async {
        guard let token = await bank.cardToken(of: customer) else { return }
        let points = Int64.random(in: 1...60, using: &random)
        let start = ContinuousClock.now
        var placed = await bank.authorise(points, cardToken: token, key: key)
        for _ in 0..<20 where placed.answer == .unknown {
            placed = await bank.authorise(points, cardToken: token, key: key)
        }
        guard placed.answer.isDone, let hold = placed.hold else {
            if case .refused(let code) = placed.answer { history.addRefusal(code) }
            return
        }
        let taken: Int64 = Int.random(in: 0..<4, using: &random) == 0 ? 0 : Int64.random(in: 1...points, using: &random)
        var ended = await bank.end(hold, taking: taken == 0 ? nil : taken)
        if ended == .unknown, Bool.random(using: &random) {
            ended = await bank.end(hold, taking: taken == 0 ? nil : taken)
        }
        history.add(
            BankHistory.Payment(
                hold: hold, member: customer.member, points: points, taken: taken, ended: ended, start: start,
                end: ContinuousClock.now))
    }

    private func read(_ bank: Bank, _ history: BankHistory, _ reader: Int, until isOver: Switch) async {
        let customer = bank.customers[reader % bank.customers.count]
        while !isOver.isTurned {
            let start = ContinuousClock.now
            guard let balance = await bank.balance(of: customer) else { continue }
            history.add(
                BankHistory.Read(
                    member: customer.member, available: balance.available, held: balance.held, start: start,
                    end: ContinuousClock.now))
        }
    }
}
