import Glibc
import NIOConcurrencyHelpers

/// A bar on standard error for work that takes a while; silent when standard error is no terminal.
final class ProgressBar: Sendable {
    private struct State {
        var done = 0
        var total: Int
        var label: String
        var drawnAt: ContinuousClock.Instant?
    }

    private let state: NIOLockedValueBox<State>
    private let isShown: Bool
    /// At most ten pictures a second, and the one of the end.
    private static let redraw = Duration.milliseconds(100)

    init(_ label: String, total: Int, isShown: Bool = isatty(STDERR_FILENO) == 1) {
        self.state = NIOLockedValueBox(State(total: total, label: label))
        self.isShown = isShown
        // The first piece of the work may take long; a person wants to see that there is one.
        if total > 0 { self.change { _ in } }
    }

    /// So many more are done.
    func advance(by count: Int = 1) {
        self.change { $0.done += count }
    }

    /// So many of so many are done.
    func reach(_ done: Int, of total: Int) {
        self.change { ($0.done, $0.total) = (done, total) }
    }

    private func change(_ change: (inout State) -> Void) {
        let picture = self.state.withLockedValue { state -> String? in
            change(&state)
            let now = ContinuousClock.now
            if let drawnAt = state.drawnAt, now - drawnAt < Self.redraw, state.done != state.total { return nil }
            state.drawnAt = now
            return Self.picture(state.label, done: state.done, total: state.total)
        }
        if self.isShown, let picture { Output.write("\r" + picture + "\u{1B}[K", to: STDERR_FILENO) }
    }

    /// Takes the bar off the screen.
    func finish() {
        if self.isShown { Output.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }

    /// `label  [██████····] 60 % 600/1000`
    static func picture(_ label: String, done: Int, total: Int) -> String {
        let width = 30
        let share = total > 0 ? min(done, total) : 0
        let filled = total > 0 ? share * width / total : 0
        let percent = total > 0 ? share * 100 / total : 0
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
        return "\(label)  [\(bar)] \(percent) % \(done)/\(total)"
    }
}
