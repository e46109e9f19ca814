internal import Kernel
internal import NIOConcurrencyHelpers

/// The services that run in this process and can wake each other without the database.
public final class Neighbourhood: Sendable {
    /// One service's ears.
    struct Resident: Sendable {
        let work: Alarm
        let answers: Alarm
    }

    private struct State {
        var residents: [ServiceName: [Int: Resident]] = [:]
        var instances: [Int32: Alarm] = [:]
        var last = 0
    }

    private let state = NIOLockedValueBox(State())

    /// An empty neighbourhood. A process has one and gives it to each of its buses.
    public init() {}

    func enter(_ service: ServiceName, _ resident: Resident) -> Int {
        self.state.withLockedValue { state in
            state.last += 1
            state.residents[service, default: [:]][state.last] = resident
            return state.last
        }
    }

    func leave(_ service: ServiceName, _ number: Int) {
        self.state.withLockedValue { _ = $0.residents[service]?.removeValue(forKey: number) }
    }

    func enter(instance: Int32, answers: Alarm) {
        self.state.withLockedValue { $0.instances[instance] = answers }
    }

    /// Whoever is woken by this alarm has no number any more.
    func leave(answers: Alarm) {
        self.state.withLockedValue { state in state.instances = state.instances.filter { $0.value !== answers } }
    }

    /// - Returns: whether somebody here was idle and looks at once: then nobody else need be woken.
    func pokeWorkers(of service: ServiceName) -> Bool {
        let alarms = self.state.withLockedValue { $0.residents[service]?.values.map(\.work) ?? [] }
        return alarms.contains { $0.ring(.neighbour) }
    }

    /// - Returns: whether the instance lives here.
    func pokeInstance(_ instance: Int32) -> Bool {
        guard let alarm = self.state.withLockedValue({ $0.instances[instance] }) else { return false }
        alarm.ring(.neighbour)
        return true
    }
}
