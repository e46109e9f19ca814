import Kernel
import Testing

@testable import Support

@Suite struct TicketStateTests {
    @Test(arguments: TicketState.allCases)
    func `a customer's message reopens what is over only while it is allowed`(state: TicketState) {
        let next = state.afterCustomer(isReopenable: true)
        #expect(next != nil)
        #expect(next?.isRunning == true)
        if state.isOver {
            #expect(next == .reopened)
            #expect(state.afterCustomer(isReopenable: false) == nil)
        } else {
            #expect(state.afterCustomer(isReopenable: false) == next)
        }
    }

    @Test func `nobody skips the solution, and what is closed stays closed for colleagues`() {
        for state in TicketState.allCases where state != .resolved { #expect(!state.nextByStaff.contains(.closed)) }
        #expect(TicketState.closed.nextByStaff.isEmpty)
        for state in TicketState.allCases {
            #expect(!state.nextByStaff.contains(.new))
            #expect(!state.nextByStaff.contains(.reopened))
        }
    }

    @Test func `every reason has a name of its own, both languages, and a target that can be met`() throws {
        let reasons = ReasonTree.groups.flatMap(\.reasons)
        #expect(reasons.count >= 20)
        #expect(Set(reasons.map(\.code)).count == reasons.count)
        for reason in reasons {
            #expect(ReasonTree.reason(reason.code) == reason)
            #expect(reason.title.ru.unicodeScalars.contains { 0x400...0x4FF ~= $0.value })
            #expect(!reason.title.en.unicodeScalars.contains { 0x400...0x4FF ~= $0.value })
            #expect(0 < reason.targets.firstResponseMinutes)
            #expect(reason.targets.firstResponseMinutes < reason.targets.solutionMinutes)
            #expect(reason.evidence == nil || reason.form.receipt == .required)
        }
    }
}
