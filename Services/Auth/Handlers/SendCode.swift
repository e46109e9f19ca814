import JobQueue
import Kernel

/// auth's job to itself: make the text of a challenge's code and send it. Names the challenge and which of its sendings
/// it is; phone and code are found and made when it runs, so that neither ever stands in a job.
struct SendCode: Command, Hashable {
    static let name = "auth.send-code"
    static let queue: QueueName = "auth.sms"

    let challenge: Challenge.ID
    /// 1 for the first message, up to 5 for the last resend.
    let sending: Int
}

extension Handler {
    /// Leased, because it talks to the gateway: no transaction stays open meanwhile. Where it is not clear whether the
    /// gateway took the message, its report has a while to say so.
    static func sendCode(_ deliver: DeliverCode) -> Handler {
        .leased(SendCode.self) { command, _ in
            do {
                try await deliver(command.challenge, sending: command.sending)
            } catch GatewayFailure.unclear {
                throw JobFailure.retry(after: .seconds(15), "gateway-unclear")
            }
        }
    }
}
