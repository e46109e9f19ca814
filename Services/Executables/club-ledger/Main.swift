import Host
import Ledger

@main struct Main {
    static func main() async {
        await ServiceHost.main(LedgerModule.self)
    }
}
