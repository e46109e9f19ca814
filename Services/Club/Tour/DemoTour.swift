import AsyncHTTPClient
import Auth
import Kernel

/// Walks through the programme with a new member, over HTTP as everybody does.
struct DemoTour: Sendable {
    let folder: SystemFolder
    let rows: [TourRow]

    /// - Parameter show: is told of each row as soon as it is over.
    /// - Throws: ``CommandFailure`` when nothing runs, or the preparation fails.
    func run(_ show: (TourReport.Section) -> Void) async throws -> TourReport {
        try await OperatorSession.run(in: self.folder) { session in
            try await BusSession.run(session) { bus in
                let till = try await Demo.tillKey(session, bus)
                return try await HTTPClient.withClient { http in
                    let walk = TourWalk(
                        client: ProgrammeClient(session.state, http: http),
                        phones: Phones(outbox: ReadOutbox(database: session.database)),
                        colleagues: DemoColleagues(self.folder), till: till.text)
                    return try await self.go(walk, show)
                }
            }
        }
    }

    private func go(_ walk: TourWalk, _ show: (TourReport.Section) -> Void) async throws -> TourReport {
        let start = ContinuousClock.now
        let needsGift = self.rows.contains { TourWalk.giftRows.contains($0.number) }
        let preparation = try await self.section(0, "Подготовка: новый участник, покупки, оплата баллами", walk) {
            try await $0.prepare(withGift: needsGift)
        }
        show(preparation)
        guard preparation.passed else {
            throw CommandFailure(
                .checkFailed, "The tour could not begin: is the demo made? `club demo` makes what is missing.")
        }
        var sections: [TourReport.Section] = []
        for row in self.rows {
            let section = try await self.section(row.number, row.words, walk, row.walk)
            show(section)
            sections.append(section)
        }
        return TourReport(preparation: preparation, rows: sections, took: ContinuousClock.now - start)
    }

    private func section(
        _ number: Int, _ words: String, _ walk: TourWalk, _ body: @Sendable (TourWalk) async throws -> Void
    ) async throws -> TourReport.Section {
        var problem: String?
        do {
            try await body(walk)
        } catch let error as CancellationError {
            throw error
        } catch {
            problem = "\(error)"
        }
        return TourReport.Section(row: number, words: words, steps: walk.takeSteps(), problem: problem)
    }
}
