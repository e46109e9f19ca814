import Club

@main
struct Main {
    static func main() async {
        await ClubCommand.runToExit()
    }
}
