internal import Contracts
internal import JobQueue
internal import Kernel

/// Answers the calls about holds. What is refused is a value of the answer, committed like a success.
struct HoldHandlers: Sendable {
    static let queue = QueueDeclaration(PlaceHold.queue)

    let reservePoints: ReservePoints
    let burnPoints: BurnPoints
    let releasePoints: ReleasePoints

    var all: [Handler] {
        [
            .reply(PlaceHold.self) { call, _, transaction in
                try await self.reservePoints(call, in: transaction)
            },
            .reply(CaptureHold.self) { call, _, transaction in
                try await self.burnPoints(call, in: transaction)
            },
            .reply(VoidHold.self) { call, _, transaction in
                try await self.releasePoints(call, in: transaction)
            },
        ]
    }
}
