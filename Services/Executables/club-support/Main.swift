import Host
import Support

/// Tickets, photos and answers. A process of its own.
@main struct Main {
    static func main() async {
        await ServiceHost.main(SupportModule.self)
    }
}
