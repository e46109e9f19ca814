public import Contracts
public import JobQueue

/// What a redemption asks of auth and the ledger. The flow's only way to them, so that a test can break it off anywhere.
public struct RedemptionCalls: Sendable {
    public var requestStepUp: @Sendable (RequestStepUp) async throws -> RequestStepUp.Reply
    public var confirmStepUp: @Sendable (ConfirmStepUp) async throws -> ConfirmStepUp.Reply
    public var placeHold: @Sendable (PlaceHold) async throws -> PlaceHold.Reply
    public var voidHold: @Sendable (VoidHold) async throws -> VoidHold.Reply
    public var makeTransfer: @Sendable (Transfer) async throws -> TransferOutcome

    /// Over the bus. All calls are safe to repeat.
    public init(bus: Bus) {
        self.requestStepUp = { try await bus.call($0) }
        self.confirmStepUp = { try await bus.call($0) }
        self.placeHold = { try await bus.call($0) }
        self.voidHold = { try await bus.call($0) }
        self.makeTransfer = { try await bus.call(MakeTransfer($0)) }
    }
}
