import Contracts
import FoundationEssentials
import JobQueue
import Kernel

// What services ask of auth before value leaves a member's account, on the queue auth.step-ups, which is encrypted.

extension Handler {
    static func requestStepUp(_ send: SendStepUp) -> Handler {
        .reply(RequestStepUp.self) { call, _, transaction in
            guard call.subject.isSayable else { throw JobFailure.permanent("step-up-cannot-be-said") }
            switch try await send(call.id, of: call.member, call.subject, in: transaction) {
            case .success(let issued):
                return RequestStepUp.Reply(expiresAt: issued.expiresAt, resendAt: issued.resendAt)
            case .failure(let refusal):
                return RequestStepUp.Reply(refusal)
            }
        }
    }

    static func confirmStepUp(_ check: CheckStepUp) -> Handler {
        .reply(ConfirmStepUp.self) { call, _, transaction in
            ConfirmStepUp.Reply(try await check.answer(call, in: transaction))
        }
    }

    static func fetchStanding() -> Handler {
        .reply(FetchStanding.self) { call, _, transaction in
            FetchStanding.Reply(try await StandingStore().find(call.member, on: transaction))
        }
    }
}
