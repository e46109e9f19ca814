import Host
import Promotions

/// Tills, rules, stores and the catalogue, as a process of their own.
@main struct Main {
    static func main() async {
        await ServiceHost.main(PromotionsModule.self)
    }
}
