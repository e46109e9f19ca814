import Charity
import Host

/// Donations, doubled by the shop. A process of its own.
@main struct Main {
    static func main() async {
        await ServiceHost.main(CharityModule.self)
    }
}
