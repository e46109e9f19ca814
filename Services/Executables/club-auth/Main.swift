import Auth
import Host

/// Members, their phones, sessions and cards, and the tills' keys, as a process of their own.
@main struct Main {
    static func main() async {
        await ServiceHost.main(AuthModule.self)
    }
}
