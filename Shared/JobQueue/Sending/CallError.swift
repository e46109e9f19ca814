public import Kernel

/// Why a call has no answer. What the other side refuses for reasons of business is a value of its reply, not an error.
public enum CallError: TemporaryFailure, Hashable, Sendable {
    /// Nobody answered in time. A durable call may still be carried out, a volatile one will not be begun any more.
    case deadlineExceeded
    /// The other side gave up; the code is for logs and tests, not for members.
    case failed(code: String)
    /// The answer is not what this version understands.
    case unreadableReply
    /// This process is stopping.
    case stopped
}
