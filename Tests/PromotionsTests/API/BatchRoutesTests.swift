import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct BatchRoutesTests {
    private func batch(_ operations: [(key: String, receipt: String)]) -> String {
        let operations = operations.map { #"{"key": "\#($0.key)", "receipt": \#($0.receipt)}"# }
        return #"{"operations": [\#(operations.joined(separator: ","))]}"#
    }

    private func deliver(_ operations: [(key: String, receipt: String)], to world: TillWorld) async throws -> BatchSeen
    {
        let body = self.batch(operations)
        let answer = try await world.client { try await $0.ask(.post, "/pos/v1/batch", body) }
        #expect(answer.status == 200)
        return try answer.read()
    }

    @Test func `each operation of a batch has its own answer, and none spoils another`() async throws {
        let world = try await TillWorld()
        _ = try await world.client { try await $0.deliver(ReceiptJSON(fiscalDocument: 1).text) }
        let answers = try await self.deliver(
            [
                ("fresh", ReceiptJSON(fiscalDocument: 2).text), ("repeated", ReceiptJSON(fiscalDocument: 1).text),
                ("conflict", ReceiptJSON(fiscalDocument: 1, at: "2026-11-23T11:00:00+03:00").text),
                ("foreign", ReceiptJSON(fiscalDocument: 3, store: "2").text),
                ("empty", ReceiptJSON(fiscalDocument: 4, lines: "[]", total: 0).text),
                ("old", ReceiptJSON(fiscalDocument: 5, at: "2026-01-01T00:00:00Z").text),
                ("last", ReceiptJSON(fiscalDocument: 6).text),
            ], to: world
        ).operations
        #expect(answers.map(\.key) == ["fresh", "repeated", "conflict", "foreign", "empty", "old", "last"])
        #expect(answers.map(\.status) == [201, 200, 422, 403, 422, 422, 201])
        #expect(
            answers.map(\.problem?.code)
                == [nil, nil, "fiscal-conflict", "foreign-store", "empty-receipt", "receipt-too-old", nil])
        #expect(answers[4].problem?.errors?.first?.pointer == "/operations/4/receipt/lines")
        #expect(answers[5].problem?.errors?.first?.pointer == "/operations/5/receipt/at")
        #expect(answers.map(\.replayed) == [nil, true, nil, nil, nil, nil, nil])
        #expect(answers[0].receipt?.points == Points(22))
        #expect(try await world.footprint().prefix(4) == [3, 3, 6, 1])
        #expect(try await world.postedJobs().count == 3)
    }

    // A19: formancehq/stack PR 1633, formancehq/wallets PR 110: the same key twice in one batch crashed.
    @Test func `A19 the same key twice in one batch is the same operation, or a mistake`() async throws {
        let world = try await TillWorld()
        let answers = try await self.deliver(
            [
                ("a", ReceiptJSON(fiscalDocument: 1).text), ("a", ReceiptJSON(fiscalDocument: 1).text),
                ("a", ReceiptJSON(fiscalDocument: 2).text), ("", ReceiptJSON(fiscalDocument: 3).text),
                ("b", ReceiptJSON(fiscalDocument: 1).text),
                ("c", ReceiptJSON(fiscalDocument: 1, at: "2026-11-23T11:00:00+03:00").text),
            ], to: world
        ).operations
        #expect(answers.map(\.status) == [201, 200, 422, 422, 200, 422])
        #expect(answers[1].receipt == answers[0].receipt)
        #expect(answers[2].problem?.code == "idempotency-key-reused")
        #expect(answers[3].problem?.code == "invalid-key")
        #expect(answers[4].receipt == answers[0].receipt)
        #expect(answers[5].problem?.code == "fiscal-conflict")
        #expect(try await world.postedJobs().count == 1)
    }

    @Test func `a batch delivered twice changes nothing the second time`() async throws {
        let world = try await TillWorld()
        let operations = (1...200).map { (key: "op-\($0)", receipt: ReceiptJSON(fiscalDocument: $0).text) }
        let first = try await self.deliver(operations, to: world)
        #expect(first.operations.allSatisfy { $0.status == 201 })
        let after = try await world.footprint()
        let second = try await self.deliver(operations, to: world)
        #expect(second.operations.allSatisfy { $0.status == 200 && $0.replayed == true })
        #expect(second.operations.map(\.receipt) == first.operations.map(\.receipt))
        #expect(try await world.footprint() == after)
    }

    @Test func `more than 200 operations are refused whole, none are fine`() async throws {
        let world = try await TillWorld()
        let operations = (1...201).map { (key: "op-\($0)", receipt: ReceiptJSON(fiscalDocument: $0).text) }
        let body = self.batch(operations)
        let answer = try await world.client { try await $0.ask(.post, "/pos/v1/batch", body) }
        #expect(answer.status == 422)
        #expect(answer.problem?.code == "too-many-operations")
        #expect(try await world.footprint().prefix(3) == [0, 0, 0])
        #expect(try await self.deliver([], to: world).operations.isEmpty)
    }

    @Test func `returns come in batches too, after the receipts, and one spoils no other`() async throws {
        let world = try await TillWorld()
        let operations = [
            #"{"key": "r1", "return": \#(ReturnJSON().text)}"#, #"{"key": "s", "receipt": \#(ReceiptJSON.text)}"#,
            #"{"key": "r2", "return": \#(ReturnJSON(store: "2").text)}"#, #"{"key": "both"}"#,
            #"{"key": "r3", "return": \#(ReturnJSON(document: 9002).text)}"#,
        ].joined(separator: ", ")
        let seen: BatchSeen = try await world.client {
            try await $0.ask(.post, "/pos/v1/batch", #"{"operations": [\#(operations)]}"#)
        }.read()
        #expect(seen.operations.map(\.key) == ["r1", "s", "r2", "both", "r3"])
        #expect(seen.operations.map(\.status) == [202, 201, 403, 422, 202])
        #expect(seen.operations[0].return?.state == "waiting")
        #expect(seen.operations[3].problem?.code == "invalid-operation")
    }

    @Test func `batches that share receipts do not wait for each other for ever`() async throws {
        let world = try await TillWorld()
        let operations = (1...40).map { (key: "op-\($0)", receipt: ReceiptJSON(fiscalDocument: $0).text) }
        let (forwards, backwards) = (self.batch(operations), self.batch(operations.reversed()))
        let statuses = try await world.client { client in
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for body in [forwards, backwards, forwards, backwards] {
                    group.addTask {
                        try await client.ask(.post, "/pos/v1/batch", body).read(BatchSeen.self).operations.map(\.status)
                    }
                }
                return try await group.reduce(into: [Int]()) { $0 += $1 }
            }
        }
        #expect(statuses.count { $0 == 201 } == 40)
        #expect(statuses.count { $0 == 200 } == 120)
        #expect(try await world.postedJobs().count == 40)
    }

    @Test func `a receipt that the database refuses spoils no other of its batch`() async throws {
        let world = try await TillWorld()
        try await world.owner.execute("alter table promotions.receipt add constraint unlucky check (fd <> 2)")
        let operations = (1...3).map { (key: "op-\($0)", receipt: ReceiptJSON(fiscalDocument: $0).text) }
        let answers = try await self.deliver(operations, to: world).operations
        #expect(answers.map(\.status) == [201, 503, 201])
        #expect(answers[1].problem?.code == "undecided")
        #expect(try await world.postedJobs().count == 2)
        try await world.owner.execute("alter table promotions.receipt drop constraint unlucky")
        #expect(try await self.deliver(operations, to: world).operations.map(\.status) == [200, 201, 200])
    }
}
