import Kernel

/// How long a ticket has taken so far and how long it may: two clocks, computed from nothing but its events.
///
/// The first one runs from the opening to the first answer. The second one runs until the solution, stands still while the
/// customer is asked something, and goes on from where it was when the ticket is reopened.
struct ServiceClocks: Hashable, Sendable {
    /// When the first answer came.
    let firstResponseAt: Timestamp?
    /// When the first answer must be there; nil once it is.
    let firstResponseDue: Timestamp?
    /// Whether the first answer is or was late.
    let isFirstResponseLate: Bool
    /// Counted time until now.
    let solutionTime: Duration
    /// When the solution must be there; nil while the clock stands still.
    let solutionDue: Timestamp?
    /// Whether the solution is or was late.
    let isSolutionLate: Bool

    /// - Parameters:
    ///   - events: in the order in which they happened.
    ///   - now: until when is counted.
    init(_ events: [TicketEvent], targets: Reason.Targets, calendar: WorkingCalendar, now: Timestamp) {
        let counting = Counting(hours: targets.hours, calendar: calendar)
        let opened = events.first?.at ?? now
        let response = events.first(where: \.isResponse)?.at
        let firstDue = counting.adding(.seconds(targets.firstResponseMinutes * 60), to: opened)
        self.firstResponseAt = response
        self.firstResponseDue = response == nil ? firstDue : nil
        self.isFirstResponseLate = (response ?? now) > firstDue

        var counted = Duration.zero
        var runningSince: Timestamp?
        for event in events {
            switch (runningSince, event.state.isRunning) {
            case (nil, true): runningSince = event.at
            case (let since?, false):
                counted += counting.counted(from: since, to: event.at)
                runningSince = nil
            default: break
            }
        }
        let target = Duration.seconds(targets.solutionMinutes * 60)
        self.solutionDue = runningSince.map { counting.adding(target - counted, to: $0) }
        self.solutionTime = counted + (runningSince.map { counting.counted(from: $0, to: now) } ?? .zero)
        self.isSolutionLate = self.solutionTime > target
    }

    private struct Counting {
        let hours: Reason.Targets.Hours
        let calendar: WorkingCalendar

        func counted(from start: Timestamp, to end: Timestamp) -> Duration {
            self.hours == .always ? max(.zero, end - start) : self.calendar.worked(from: start, to: end)
        }

        func adding(_ time: Duration, to start: Timestamp) -> Timestamp {
            self.hours == .always ? start + max(.zero, time) : self.calendar.adding(time, to: start)
        }
    }
}
