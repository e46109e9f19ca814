import Host
import PartnersExchange

/// Points into the miles, books and discounts of partners. A process of its own.
@main struct Main {
    static func main() async {
        await ServiceHost.main(PartnersExchangeModule.self)
    }
}
