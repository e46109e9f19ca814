import AsyncHTTPClient
import Auth
import Contracts
import EmbeddedPostgres
import FoundationEssentials
import Histogram
import Host
import JobQueue
import Kernel
import Ledger
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Postgres
import Promotions
import Telemetry

/// Receipts a second from a till's HTTP request to the ledger's books, three services in one process, beside pgbench's
/// TPC-B on the same cluster.
enum ReceiptsCase {
    private static let database = "bench_receipts"
    private static let tills = 16
    private static let members = 1000
    private static let modules: [any ServiceModule.Type] = [
        AuthModule.self, LedgerModule.self, PromotionsModule.self,
    ]

    static func run(_ world: World) async throws {
        var posted: [Double] = []
        var raw: [Double] = []
        var p99: [Double] = []
        for _ in 0..<world.rounds {
            raw.append(
                try await world.withFreshDatabase("bench_tpcb") { name in
                    try await world.pgbench(name).initialise(scale: 10)
                    return try await world.pgbench(name).transactionsPerSecond(clients: 8, seconds: world.seconds)
                })
            let (rate, latency) = try await world.withFreshDatabase(Self.database) { _ in try await self.once(world) }
            posted.append(rate)
            p99.append(latency)
        }
        let conditions = world.conditions.with([
            "tills": "\(Self.tills), closed loop", "lines": "5 a receipt", "members": "\(Self.members)",
            "load": "from the same two cores",
        ])
        try world.report.add(
            Figure(
                "receipts", "receipts from HTTP to posted in the ledger", posted.median, "/s", raw: raw.median,
                rawName: "pgbench TPC-B -c 8", conditions: conditions))
        try world.report.add(
            Figure("receipts", "acceptance of a receipt at that rate, p99", p99.median, "ms", conditions: conditions))
    }

    private static func once(_ world: World) async throws -> (rate: Double, p99: Double) {
        let owner = world.database(Self.database, pool: 4)
        _ = try await Migrator(reactor: world.reactor, logger: world.logger)
            .migrate([JobQueueMigrations.set] + self.modules.map { $0.migrations }, on: owner.configuration)
        let secret = String(repeating: "s", count: 32)
        let host = try ServiceHost(
            modules: self.modules,
            settings: [
                "CLUB_DATABASE": world.cluster.conninfo(database: Self.database), "CLUB_PORT": "0",
                "CLUB_AUTH_MASTER_KEY": secret, "CLUB_AUTH_LOOKUP_KEY": secret, "CLUB_LEDGER_SEAL_KEY": secret,
                "CLUB_PROMOTIONS_COUPON_KEY": secret, "CLUB_QUEUE_KEYS": Self.queueKeys,
            ], environment: [:], sink: .nowhere)
        let (events, continuation) = AsyncStream.makeStream(of: HostEvent.self)
        let stop = StopSwitch()
        let result = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await host.run(handlesSignals: false, stopSwitch: stop) { continuation.yield($0) }
            }
            var ready = 0
            var port = 0
            for await event in events {
                switch event {
                case .listening(let service, let number): if service == PromotionsModule.name { port = number }
                case .ready: ready += 1
                }
                if ready == self.modules.count { break }
            }
            let result = try await self.load(world, owner, port: port)
            stop.pull()
            try await group.waitForAll()
            return result
        }
        await owner.shutdown()
        return result
    }

    private static let queueKeys = "1:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="

    private static func load(_ world: World, _ owner: Database, port: Int) async throws -> (rate: Double, p99: Double) {
        let bus = Bus(
            service: "club", database: owner,
            listener: Listener(owner.configuration, reactor: world.reactor, logger: world.logger),
            keyring: try Keyring(Secret(Self.queueKeys)), logger: world.logger)
        let key = try await IssueTillKey(database: owner, bus: bus, clock: SystemClock(), random: .system)(
            store: nil, scopes: ["receipts"], label: "bench")
        guard let store = StoreID("bench") else { throw Victim.Failed(description: "a store was refused") }
        _ = try await ImportStores(database: owner)([StoreRecord(id: store)])
        let cards = try await self.enrol(bus)
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        let histogram = NIOLockedValueBox(
            Histogram<UInt32>(highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: .three))
        let numbers = Counter()
        let url = "http://127.0.0.1:\(port)/pos/v1/receipts"
        let authorization = "Bearer \(key.key.text)"
        let clock = ContinuousClock()
        let start = clock.now
        let end = start.advanced(by: .seconds(world.seconds))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for till in 0..<self.tills {
                group.addTask {
                    while clock.now < end {
                        let number = numbers.next()
                        var request = HTTPClientRequest(url: url)
                        request.method = .POST
                        request.headers.add(name: "Authorization", value: authorization)
                        request.headers.add(name: "Content-Type", value: "application/json")
                        let card = cards[Int(number) % cards.count]
                        request.body = .bytes(ByteBuffer(string: self.receipt(till, number, card)))
                        let sent = clock.now
                        let answer = try await client.execute(request, timeout: .seconds(30))
                        _ = try await answer.body.collect(upTo: 1 << 20)
                        guard answer.status == .created else {
                            throw Victim.Failed(description: "a receipt was answered \(answer.status.code)")
                        }
                        let took = UInt64((clock.now - sent).inSeconds * 1_000_000)
                        histogram.withLockedValue { _ = $0.record(took) }
                    }
                }
            }
            try await group.waitForAll()
        }
        try await client.shutdown()
        let accepted = numbers.count
        while try await owner.one("select count(*) from ledger.transaction").value(at: 0, as: Int64.self) < accepted {
            try await Task.sleep(for: .milliseconds(10))
        }
        let rate = Double(accepted) / (clock.now - start).inSeconds
        return (rate, histogram.withLockedValue { Double($0.valueAtPercentile(99)) / 1000 })
    }

    private static func enrol(_ bus: Bus) async throws -> [CardNumber] {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let worker = Worker(bus: bus, queues: [], handlers: [])
            group.addTask { try await worker.run() }
            var cards: [CardNumber] = []
            for start in stride(from: 0, to: self.members, by: 200) {
                let people = try (start..<(start + 200)).map { number in
                    EnrolMembers.Person(
                        reference: "bench:\(number)", fullName: try self.name(number),
                        phone: try PhoneNumber(parsing: "+79\(String(900_000_000 + number))"))
                }
                cards += try await bus.call(EnrolMembers(members: people), deadline: .seconds(60)).members.map(\.card)
            }
            group.cancelAll()
            return cards
        }
    }

    private static func name(_ number: Int) throws -> FullName {
        guard let name = FullName(last: "Замеров", first: "Номер") else {
            throw Victim.Failed(description: "a name was refused")
        }
        return name
    }

    private static func receipt(_ till: Int, _ number: Int64, _ card: CardNumber) -> String {
        let lines = (1...5).map { position in
            """
            {"position":\(position),"sku":"sku-\(position)","quantity":1000,"price":12345,"sum":12345}
            """
        }.joined(separator: ",")
        return """
            {"fiscal":{"fn":"9280000000000001","fd":\(number),"fpd":\(till)},"store":"bench","at":"\(SystemClock().now)",\
            "card":"\(card.digits)","lines":[\(lines)],"total":61725}
            """
    }
}
