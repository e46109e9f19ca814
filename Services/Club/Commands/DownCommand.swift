import ArgumentParser
import EmbeddedPostgres

/// `club down`
struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stop everything that `club up` started.",
        discussion: "Services finish what they are doing; what does not end in time is ended. The data stay.")

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions

    private struct Answer: Encodable {
        let stopped: Bool
    }

    func run() async throws {
        let isStopped = try await SystemStop(folder: self.system.folder)()
        try self.output.output.result(
            Answer(stopped: isStopped), text: isStopped ? "Stopped." : "Nothing runs in \(self.system.folder.path).")
    }
}
