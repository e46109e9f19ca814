import ArgumentParser

/// `club demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Make demo data: a shop, its catalogue, members, a till's key, receipts.",
        discussion: """
            Everything goes the way that real data go: members through auth, receipts through the tills' interface. \
            Running it again changes nothing.
            """)

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let summary = try await Demo.make(in: self.system.folder)
        try self.output.output.result(summary, text: summary.text)
    }
}
