import FoundationEssentials
import Kernel
import Testing

@testable import Club

@Suite struct DemoTests {
    @Test func `what the operator's environment says goes before the demo's settings`() {
        let demo = DemoSettings(simulator: "http://127.0.0.1:8087")
        let plain = demo.added(to: ["CLUB_PORT": "8080"], environment: [:])
        #expect(plain["CLUB_PORT"] == "8080")
        #expect(plain["CLUB_PARTNERS_EXCHANGE_HOSTS"] == "127.0.0.1:8087")
        #expect(plain["CLUB_AUTH_NETWORK_HOUR"] == "10000")
        let chosen = demo.added(
            to: [:],
            environment: ["CLUB_PARTNERS_EXCHANGE_HOSTS": "api.s7.example", "CLUB_AUTH_NETWORK_HOUR": "7"])
        #expect(chosen["CLUB_PARTNERS_EXCHANGE_HOSTS"] == "api.s7.example,127.0.0.1:8087")
        #expect(chosen["CLUB_AUTH_NETWORK_HOUR"] == nil)
        let none = demo.added(to: [:], environment: ["CLUB_PARTNERS_EXCHANGE_HOSTS": "none"])
        #expect(none["CLUB_PARTNERS_EXCHANGE_HOSTS"] == "127.0.0.1:8087")
    }

    @Test func `a system has the demo's partners when it was once started with a demo`() throws {
        let folder = SystemFolder(option: "/tmp/club-demo-\(UUID().uuidString)")
        try folder.prepare()
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        #expect(!DemoPartners.areWanted(in: folder))
        try DemoPartners.want(in: folder)
        let secret = SystemSecrets(folder).read(DemoPartners.Partner.s7.secretName)?.text
        #expect(DemoPartners.areWanted(in: folder) && secret?.isEmpty == false)
        try DemoPartners.want(in: folder)
        #expect(SystemSecrets(folder).read(DemoPartners.Partner.s7.secretName)?.text == secret)
    }

    @Test func `a demo takes one port more`() {
        var plan = ServicePlan(port: 9000, isSeparate: false, log: "/dev/null")
        #expect(plan.ports == 9000..<9007)
        plan.isDemo = true
        #expect(plan.ports == 9000..<9008 && plan.simulator == "http://127.0.0.1:9007")
    }

    @Test func `the demo's printed cards are cards, each once`() {
        #expect(Set(DemoData.printedCards.map(\.digits)).count == 20)
    }

    @Test func `the numbers of the tour have their partners' check digits`() {
        for _ in 0..<50 {
            let s7 = TourWalk.numberOfS7()
            #expect(s7.utf8.count == 9 && s7.dropLast().last != "9")
            #expect(CardNumber.checkDigit(of: String(s7.dropLast())).map { "\($0)" } == s7.last.map(String.init))
            let letual = TourWalk.numberOfLetual().utf8.map { Int($0) - 0x30 }
            let sum = letual.enumerated().reduce(0) { $0 + $1.element * ($1.offset % 2 == 0 ? 1 : 3) }
            #expect(letual.count == 13 && sum % 10 == 0)
            #expect(Int(TourWalk.numberOfTehnosila()).map { $0 % 97 } == 1)
        }
    }

    @Test(arguments: [
        (0, "0 баллов"), (1, "1 балл"), (3, "3 балла"), (11, "11 баллов"), (22, "22 балла"), (112, "112 баллов"),
    ])
    func `points are counted as one says it`(count: Int64, text: String) {
        #expect(TourWalk.points(count) == text)
    }

    @Test func `roubles, days and queries are written as people and addresses have them`() {
        #expect(TourWalk.roubles(123_405) == "1234,05 ₽" && TourWalk.roubles(500) == "5 ₽")
        #expect(TourWalk.day("2026-11-28T05:00:00Z") == "28.11.2026" && TourWalk.day(nil) == "—")
        #expect(TourWalk.query("a б") == "a%20%D0%B1")
    }

    @Test func `a row that failed says so, and its request stands above`() {
        let step = TourReport.Step(method: "GET", service: "ledger", path: "/v1/feed", status: 500, essence: "")
        let row = TourReport.Section(row: 7, words: "Слова", steps: [step], problem: "не вышло")
        #expect(!row.passed)
        #expect(row.text(inColour: false) == " 7 ✗ Слова\n     GET /v1/feed → 500 ledger\n     не вышло")
        let report = TourReport(preparation: row, rows: [row], took: .milliseconds(1250))
        #expect(report.failed == 1 && report.passed == 0 && report.seconds == 1.25)
        #expect(report.verdict.hasPrefix("✗ строк пройдено: 0 из 1"))
    }

    @Test func `what an answer lacks is named`() throws {
        let json: JSON = ["a": ["b": 1, "c": .null, "d": []]]
        #expect(try json.whole("a", "b") == 1)
        for keys in [["a", "x"], ["a", "c"]] {
            let miss = #expect(throws: TourMiss.self) { try json.string(keys[0], keys[1]) }
            #expect(miss?.description.contains(keys.joined(separator: ".")) == true)
        }
        #expect(throws: TourMiss.self) { try json.list("a", "d") }
        #expect(throws: TourMiss.self) { try json.string("a", "b") }
    }
}
