import Kernel
import TestSupport
import Testing

@testable import Support

@Suite struct ServiceClocksTests {
    private let calendar: WorkingCalendar

    init() throws { self.calendar = try SupportModule.calendar() }

    private func at(_ text: String) throws -> Timestamp { try #require(Timestamp("2026-11-\(text)+03:00")) }

    private func clocks(
        _ events: [(TicketEvent.Kind, TicketState, String)], now: String, _ targets: Reason.Targets = .soon
    ) throws -> ServiceClocks {
        ServiceClocks(
            try events.map { TicketEvent(kind: $0.0, state: $0.1, at: try self.at($0.2)) }, targets: targets,
            calendar: self.calendar, now: try self.at(now))
    }

    @Test func `the first answer is due in working hours, and is late when it comes later`() throws {
        let opened = (TicketEvent.Kind.opened, TicketState.new, "27T19:00:00")
        let waiting = try self.clocks([opened], now: "30T09:59:59")
        #expect(waiting.firstResponseDue == (try self.at("30T10:00:00")))
        #expect(!waiting.isFirstResponseLate)
        #expect(try self.clocks([opened], now: "30T10:00:01").isFirstResponseLate)
        let answered = try self.clocks([opened, (.answered, .open, "30T09:30:00")], now: "30T19:00:00")
        #expect(answered.firstResponseDue == nil)
        #expect(answered.firstResponseAt == (try self.at("30T09:30:00")))
        #expect(!answered.isFirstResponseLate)
    }

    @Test func `what colleagues write for themselves is no answer`() throws {
        let clocks = try self.clocks(
            [(.opened, .new, "27T10:00:00"), (.noted, .new, "27T10:10:00"), (.assigned, .new, "27T10:20:00")],
            now: "27T11:00:00")
        #expect(clocks.firstResponseAt == nil)
        #expect(clocks.firstResponseDue == (try self.at("27T12:00:00")))
    }

    @Test func `the clock of the solution stands still while the customer is waited for, and only then`() throws {
        let events: [(TicketEvent.Kind, TicketState, String)] = [
            (.opened, .new, "27T10:00:00"), (.answered, .waitingForCustomer, "27T11:00:00"),
            (.customerWrote, .open, "30T10:00:00"), (.moved, .waitingForPartner, "30T11:00:00"),
        ]
        let paused = try self.clocks(Array(events.prefix(2)), now: "27T19:00:00")
        #expect(paused.solutionDue == nil)
        #expect(paused.solutionTime == .seconds(3600))
        let running = try self.clocks(events, now: "30T12:00:00")
        #expect(running.solutionTime == .seconds(3 * 3600))
        // Eleven hours are the target: ten were left at ten o'clock.
        #expect(running.solutionDue == (try self.at("30T20:00:00")))
        #expect(!running.isSolutionLate)
        #expect(try self.clocks(events, now: "30T20:00:01").isSolutionLate == false)
        let day = try #require(Timestamp("2026-12-01T09:00:01+03:00"))
        let late = ServiceClocks(
            try events.map { TicketEvent(kind: $0.0, state: $0.1, at: try self.at($0.2)) }, targets: .soon,
            calendar: self.calendar, now: day)
        #expect(late.isSolutionLate)
    }

    @Test func `a reopened ticket goes on from where it was`() throws {
        let clocks = try self.clocks(
            [
                (.opened, .new, "27T09:00:00"), (.answered, .resolved, "27T14:00:00"),
                (.customerWrote, .reopened, "30T09:00:00"),
            ], now: "30T10:00:00")
        #expect(clocks.solutionTime == .seconds(6 * 3600))
        #expect(clocks.solutionDue == (try self.at("30T15:00:00")))
    }

    @Test func `theft does not wait for Monday`() throws {
        let clocks = try self.clocks([(.opened, .new, "28T03:00:00")], now: "28T03:31:00", .urgent)
        #expect(clocks.firstResponseDue == (try self.at("28T03:30:00")))
        #expect(clocks.isFirstResponseLate)
        #expect(clocks.solutionDue == (try self.at("28T07:00:00")))
    }
}
