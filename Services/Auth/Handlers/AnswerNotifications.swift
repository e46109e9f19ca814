import Contracts
import JobQueue

extension Handler {
    /// Leased, because it talks to gateways: no transaction stays open meanwhile.
    static func notify(_ deliver: DeliverNotice) -> Handler {
        .leased(Notify.self) { notice, _ in try await deliver(notice) }
    }
}
