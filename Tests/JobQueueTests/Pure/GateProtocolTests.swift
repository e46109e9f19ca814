import Testing

/// Walks through all interleavings of small models of ``GateModel``, breadth first.
@Suite struct GateProtocolTests {
    /// Keys of the jobs in the order of sending, and how many attempts may fail.
    static let models: [(keys: [Int], failures: Int)] = [
        ([0, 0], 1), ([0, 0, 0], 0), ([0, 1, 0], 1), ([0, 1, 1, 0], 0), ([0, 0, 1, 1], 1),
    ]

    @Test(arguments: Self.models.indices)
    func `no order of steps loses a hand-over, breaks the order of a key, or locks up`(_ index: Int) {
        let (keys, failures) = Self.models[index]
        var explorer = GateExplorer(model: GateModel(fault: nil))
        explorer.explore(GateModel.World(toSend: keys, failures: failures))
        #expect(explorer.findings == [])
        #expect(explorer.ends > 0)
        #expect(explorer.seen > 20)
    }

    @Test(arguments: GateModel.Fault.allCases)
    func `each fault shows in one of the models`(_ fault: GateModel.Fault) {
        var findings: Set<GateExplorer.Finding> = []
        for (keys, failures) in Self.models {
            var explorer = GateExplorer(model: GateModel(fault: fault))
            explorer.explore(GateModel.World(toSend: keys, failures: failures))
            findings.formUnion(explorer.findings)
        }
        #expect(findings.contains(fault.shows), "\(fault) shows as \(findings)")
    }
}

extension GateModel.Fault {
    /// What the explorer must find, among other things.
    fileprivate var shows: GateExplorer.Finding {
        switch self {
        case .offByOne, .failureLosesPlace: .twoOfOneKey
        case .admitsFromOldSnapshot, .releasesFromOldSnapshot, .releasesWithoutLock, .skipsRelease: .lostHandOver
        case .locksInAnyOrder: .deadlock
        }
    }
}

private struct GateExplorer {
    enum Finding: Hashable {
        /// Two jobs of one key are ready or run.
        case twoOfOneKey
        /// A job of a key has ended before one that was sent before it.
        case wrongOrder
        /// Nobody has anything to do, and a job waits.
        case lostHandOver
        /// Everybody waits for a lock.
        case deadlock
        /// A gate counts a place that no job has, or none that one has.
        case wrongCount
    }

    let model: GateModel
    private(set) var findings: Set<Finding> = []
    private(set) var ends = 0
    private(set) var seen = 0

    init(model: GateModel) {
        self.model = model
    }

    mutating func explore(_ start: GateModel.World) {
        var known: Set<GateModel.World> = [start]
        var frontier = [start]
        while !frontier.isEmpty {
            var next: [GateModel.World] = []
            for world in frontier {
                self.inspect(world)
                let successors = self.model.successors(of: world)
                if successors.isEmpty { self.conclude(world) }
                for successor in successors where known.insert(successor).inserted { next.append(successor) }
            }
            frontier = next
        }
        self.seen = known.count
    }

    private mutating func inspect(_ world: GateModel.World) {
        let workers = world.actors.dropFirst()
        let underWay = Array(world.ready) + workers.flatMap(\.jobs)
        for key in Set(world.keys) {
            let ofKey = underWay.filter { world.keys[$0] == key }.count
            if ofKey > self.model.limit { self.findings.insert(.twoOfOneKey) }
            if ofKey != world.running[key] ?? 0 { self.findings.insert(.wrongCount) }
            let done = world.done.filter { world.keys[$0] == key }
            if done != done.sorted() { self.findings.insert(.wrongOrder) }
        }
    }

    /// Nothing can happen any more.
    private mutating func conclude(_ world: GateModel.World) {
        self.ends += 1
        if world.actors.contains(where: { $0.phase == .locking }) {
            self.findings.insert(.deadlock)
        } else if world.done.count < world.keys.count {
            self.findings.insert(.lostHandOver)
        }
    }
}
