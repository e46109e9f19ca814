public import ArgumentParser
public import Kernel

/// Which system a command is about.
struct SystemOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The system's folder; else CLUB_DATA, else .club.", valueName: "dir"))
    var data: String?

    var folder: SystemFolder { SystemFolder(option: self.data) }
}

/// In which form a command answers.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Answer with one JSON document.")
    var json = false

    var output: Output { Output(json: self.json) }
}

extension Identifier: ExpressibleByArgument {}
