import Contracts
import JobQueue
import Kernel
import NIOConcurrencyHelpers

/// auth as a test tells it to be: handlers of a real worker on the real bus.
final class AuthNeighbour: Sendable {
    static let code = "123456"

    private struct State {
        var standings: [Member.ID: MemberStanding] = [:]
        var subjects: [StepUp.ID: StepUpSubject] = [:]
        var notices: [Notify] = []
    }

    private let state = NIOLockedValueBox(State())

    /// What members were told, in order.
    var notices: [Notify] { self.state.withLockedValue { $0.notices } }

    /// What the codes that were sent confirm.
    var subjects: [StepUpSubject] { self.state.withLockedValue { Array($0.subjects.values) } }

    func sees(_ member: Member.ID, locked: Bool = false, active: Bool = true, phoneChangedAt: Timestamp? = nil) {
        self.state.withLockedValue { state in
            state.standings[member] = MemberStanding(
                isActive: active, isSpendingLocked: locked, phoneChangedAt: phoneChangedAt, language: "ru")
        }
    }

    func handlers(_ now: @escaping @Sendable () -> Timestamp) -> [Handler] {
        [
            .reply(FetchStanding.self) { call, _, _ in
                FetchStanding.Reply(self.state.withLockedValue { $0.standings[call.member] })
            },
            .reply(RequestStepUp.self) { call, _, _ in
                self.state.withLockedValue { $0.subjects[call.id] = call.subject }
                return RequestStepUp.Reply(expiresAt: now() + .seconds(300), resendAt: now() + .seconds(60))
            },
            .reply(ConfirmStepUp.self) { call, _, _ in
                let isRight = self.state.withLockedValue { state in
                    state.subjects[call.id] == call.subject && call.code == Self.code
                }
                return ConfirmStepUp.Reply(isRight ? nil : .codeRefused)
            },
            .transactional(Notify.self) { notice, _, _ in
                self.state.withLockedValue { $0.notices.append(notice) }
            },
        ]
    }
}
