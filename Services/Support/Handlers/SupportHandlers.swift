import Contracts
import Host
import JobQueue
import Kernel
import Postgres

/// What support hears and does by itself.
struct SupportHandlers: Sendable {
    static let queues = [
        QueueDeclaration("support.work", lease: .seconds(30), producers: ["support"]),
        // One at a time over all processes: two would only share the work.
        QueueDeclaration("support.chores", lease: .seconds(300), slots: 1, producers: ["support"], runningMax: 1),
        QueueDeclaration("support.events", producers: ["auth"]),
        QueueDeclaration("support.sessions", retention: .seconds(86_400), producers: ["auth"]),
    ]

    let answer: AnswerMissingPoints
    let order: KeepOrder
    let clock: any WallClock
    private let desk = DeskStore()
    private let thread = ThreadStore()

    init(answer: AnswerMissingPoints, order: KeepOrder, clock: any WallClock) {
        (self.answer, self.order, self.clock) = (answer, order, clock)
    }

    var all: [Handler] {
        [
            .leased(InvestigateReceipt.self) { command, _ in try await self.answer(command.ticket) },
            .leased(EscalateLate.self) { _, _ in try await self.order.escalate() },
            .leased(CloseQuiet.self) { _, _ in try await self.order.close() },
            .endedSessions(of: SupportModule.name, on: "support.sessions", clock: self.clock),
            .transactional(MemberErased.self, on: "support.events") { event, _, transaction in
                try await self.desk.erase(
                    event.member, principal: MemberRoutes.principal(event.member), at: self.clock.now, in: transaction)
            },
            .transactional(NotificationMoved.self, on: "support.events") { event, _, transaction in
                try await self.thread.moveNotice(
                    event.id, to: event.state.rawValue, channel: event.channel?.rawValue, at: event.at, in: transaction)
            },
        ]
    }

    static var periodic: [PeriodicJob] {
        get throws {
            [
                PeriodicJob("support.escalate-late", try .every(.seconds(60)), send: EscalateLate()),
                PeriodicJob("support.close-quiet", try .every(.seconds(3600)), send: CloseQuiet()),
            ]
        }
    }
}
